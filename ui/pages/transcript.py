"""A conversation as HTML: what everybody said, as text and nothing else."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from apps.support.shop.models import Message, Role
from ui.pages.labels import Language
from ui.pages.rendering import render

KEEP_AT_END = """
const pane = element.closest(".block");
let following = true, shown = null, touched = 0;
for (const kind of ["wheel", "touchmove", "keydown", "pointerdown"]) {
  pane.addEventListener(kind, (event) => {
    if (!event.target.closest("button")) touched = Date.now();
  }, {passive: true});
}
pane.addEventListener("scroll", () => {
  const atEnd = pane.scrollHeight - pane.scrollTop - pane.clientHeight < 60;
  if (atEnd) following = true;
  else if (Date.now() - touched < 1000) following = false;
});
watch("value", () => {
  const now = element.querySelector(".messages")?.dataset.of;
  if (now !== shown) [shown, following] = [now, true];
  requestAnimationFrame(() => { if (following) pane.scrollTop = pane.scrollHeight; });
});
"""
"""For the component that shows a transcript: it stays at the end unless its reader has scrolled up."""


_NOTHING = Markup()


@dataclass(frozen=True)
class Bubble:
    """One message. `below` is what stands under it; `unsent` is why it has not reached the shop."""

    role: Role
    words: str
    complete: bool = True
    below: Markup = _NOTHING
    unsent: str = ""

    @classmethod
    def of(cls, message: Message, below: Markup = _NOTHING) -> Bubble:
        return cls(message.role, message.text, message.complete, below)


def transcript(
    conversation_id: str,
    bubbles: Iterable[Bubble],
    reader: Language,
    *,
    mine: Role,
    earlier: int = 0,
    typing: bool = False,
) -> Markup:
    """The conversation for one who writes as `mine`, whose side is the right one.

    `earlier` is how many messages were left out, `typing` whether the assistant's next words are awaited.
    """
    return render(
        "transcript",
        reader,
        conversation=conversation_id,
        bubbles=list(bubbles),
        mine=mine,
        earlier=earlier,
        typing=typing,
    )


def empty_transcript(key: str, reader: Language, chips: Sequence[str] = ()) -> Markup:
    """`chips` are keys of messages that can be sent by a click."""
    return render("empty_transcript", reader, key=key, chips=chips)
