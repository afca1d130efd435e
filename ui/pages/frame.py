"""What the pages share: the header with its language switch, and words that change with the language."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

import gradio as gr

from ui.pages.labels import LANGUAGE_TAGS, LANGUAGES, Language, preferred, text
from ui.pages.rendering import render

Words = str | Callable[[Language], Any]
"""A key of labels.py, or what makes a property's value for a language."""

ROUTES = {"nav.shop": "/", "nav.code": "/code", "nav.desk": "/desk"}
QUIET: dict[str, Any] = {"api_visibility": "private", "show_progress": "hidden"}
AT_ONCE: dict[str, Any] = {**QUIET, "queue": False}
"""For events that do no more than change the page."""


class Frame:
    """One page's header and all its components with words.

    Make components through `make`, and call `finish` at the end.
    """

    def __init__(self, route: str) -> None:
        """`route` is one of ROUTES' keys. Must be called inside the page's Blocks context."""
        self._route = route
        self._worded: list[tuple[Any, Mapping[str, Words]]] = []
        gr.Navbar(visible=False)
        # In the browser, so that it outlives the page and the server; it is no secret.
        self._stored = gr.BrowserState("", storage_key="duet-language", secret="duet")
        with gr.Row(elem_id="header", equal_height=True):
            links = {"value": lambda reader: render("navigation", reader, route=route, routes=ROUTES)}
            self.make(gr.HTML, links, elem_id="navigation")
            self.language = gr.Radio(
                [(name, code) for code, name in LANGUAGES.items()],
                value="en",
                label="Language / 语言",
                show_label=False,
                container=False,
                elem_id="language",
                elem_classes="segmented",
                min_width=0,
            )

    def make(self, kind: Callable[..., Any], words: Mapping[str, Words], **options: Any) -> Any:
        """A component `kind(**options)` whose properties `words` are in the page's language."""
        component = kind(**_said(words, "en"), **options)
        self._worded.append((component, words))
        return component

    def title(self, heading: str, lead: str) -> None:
        """The page's heading and the line below it, by their keys."""
        words = {"value": lambda reader: render("title", reader, heading=heading, lead=lead)}
        self.make(gr.HTML, words, elem_classes="title")

    def finish(
        self,
        blocks: gr.Blocks,
        redraw: Callable[..., Any],
        inputs: list[Any],
        outputs: list[Any],
        *,
        restore: Callable[..., Any] | None = None,
    ) -> None:
        """Let the page open in the language used last, else the browser's, and follow the switch.

        `redraw` makes what is not fixed words; it gets `inputs` and the language when either changes. `restore`
        is called in its place when the page opens.
        """
        components = [component for component, _ in self._worded]

        def opened(stored: str, request: gr.Request) -> list[Any]:
            language = (
                stored if stored in LANGUAGES else preferred(request.headers.get("accept-language", ""))
            )
            # The page is in English as it comes; what somebody has typed since must not be touched.
            updates = self._updates(language) if language != "en" else [gr.skip() for _ in components]
            return [language, *updates]

        def switched(language: Language) -> list[Any]:
            return [language, *self._updates(language)]

        begun = blocks.load(opened, self._stored, [self.language, *components], **AT_ONCE)
        changed = self.language.input(switched, self.language, [self._stored, *components], **AT_ONCE)
        for event, draw in ((begun, restore or redraw), (changed, redraw)):
            event.then(draw, [*inputs, self.language], outputs, **AT_ONCE)
            event.then(None, self.language, None, js=self._name_document())

    def _name_document(self) -> str:
        """The document's title and language, which screen readers and browser tabs tell."""
        titles = {reader: f"{text(self._route, reader)} · Duet" for reader in LANGUAGES}
        return (
            f"(reader) => {{ document.title = {json.dumps(titles)}[reader]; "
            f"document.documentElement.lang = {json.dumps(LANGUAGE_TAGS)}[reader]; }}"
        )

    def _updates(self, language: Language) -> list[Any]:
        return [gr.update(**_said(words, language)) for _, words in self._worded]


def _said(words: Mapping[str, Words], language: Language) -> dict[str, Any]:
    return {
        name: text(word, language) if isinstance(word, str) else word(language)
        for name, word in words.items()
    }
