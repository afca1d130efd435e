"""The pages' HTML: Jinja templates that escape whatever is put into them."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from ui.pages.labels import Language, named, text

_TEMPLATES = Environment(
    loader=FileSystemLoader(Path(__file__).with_name("templates")),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)


def render(template: str, reader: Language, **values: object) -> Markup:
    """`templates/<template>.html`. In it, `text(key, …)` and `named(kind, name)` are in the reader's language."""
    words = {"text": partial(text, language=reader), "named": partial(named, language=reader)}
    return Markup(_TEMPLATES.get_template(f"{template}.html").render(**words, reader=reader, **values))


def line(kind: str, *words: str) -> Markup:
    """One line below what it is about: `kind` is busy, good, bad, problem, stopped or note."""
    return render("line", "en", kind=kind, words=words)


def _plain(value: Any) -> str:
    if isinstance(value, list | tuple):
        return ", ".join(map(_plain, value))
    if isinstance(value, Mapping):
        return ", ".join(str(part) for part in value.values() if part)
    return str(value)


def _duration(milliseconds: float) -> str:
    if milliseconds >= 1_000:
        return f"{milliseconds / 1_000:.1f} s"
    return f"{milliseconds:.0f} ms" if milliseconds >= 1 else "< 1 ms"


_TEMPLATES.filters |= {"plain": _plain, "duration": _duration, "percent": "{:.0%}".format}
