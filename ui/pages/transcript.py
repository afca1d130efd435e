"""A conversation as HTML: what everybody said, as text and nothing else."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from html import escape

from apps.support.shop.models import Message, Role
from ui.pages.labels import Language, text

KEEP_AT_END = """
const pane = element.closest(".block");
let following = true, shown = null;
pane.addEventListener("scroll", () => {
  following = pane.scrollHeight - pane.scrollTop - pane.clientHeight < 60;
});
watch("value", () => {
  const now = element.querySelector(".messages")?.dataset.of;
  if (now !== shown) [shown, following] = [now, true];
  requestAnimationFrame(() => { if (following) pane.scrollTop = pane.scrollHeight; });
});
"""
"""For the component that shows a transcript: it stays at the end unless its reader has scrolled up."""

_TYPING = '<span class="typing"><i></i><i></i><i></i></span>'


@dataclass(frozen=True)
class Bubble:
    """One message. `below` is HTML that stands under it."""

    role: Role
    words: str
    complete: bool = True
    below: str = ""

    @classmethod
    def of(cls, message: Message, below: str = "") -> Bubble:
        return cls(message.role, message.text, message.complete, below)


def transcript(
    conversation_id: str,
    bubbles: Iterable[Bubble],
    reader: Language,
    *,
    mine: Role,
    earlier: int = 0,
    typing: bool = False,
) -> str:
    """The conversation for one who writes as `mine`, whose side is the right one.

    `earlier` is how many messages were left out, `typing` whether the assistant's next words are awaited.
    """
    rows = [f'<p class="earlier">{text("chat.earlier", reader, count=earlier)}</p>'] if earlier else []
    rows += [_row(bubble, reader, mine) for bubble in bubbles]
    if typing:
        rows.append(f'<div class="msg assistant">{_who(Role.ASSISTANT, reader)}<p>{_TYPING}</p></div>')
    opening = f'<div class="messages" role="log" aria-live="polite" data-of="{escape(conversation_id)}">'
    return f"{opening}{''.join(rows)}</div>"


def empty_transcript(key: str, reader: Language) -> str:
    return f'<div class="messages none"><p>{escape(text(key, reader))}</p></div>'


def _row(bubble: Bubble, reader: Language, mine: Role) -> str:
    who = "" if bubble.role == mine else _who(bubble.role, reader)
    cut = "" if bubble.complete else f"<small>{escape(text('chat.cut', reader))}</small>"
    side = " mine" if bubble.role == mine else ""
    words = f'<p dir="auto">{escape(bubble.words)}</p>'
    return f'<div class="msg {bubble.role.value}{side}">{who}{words}{cut}{bubble.below}</div>'


def _who(role: Role, reader: Language) -> str:
    return f'<span class="who">{escape(text(f"role.{role.value}", reader))}</span>'
