"""Words for the reader: by their key, in the reader's language."""

from __future__ import annotations

from typing import Literal

from apps.code.errors import LanguageNotServedError, NoCodeAskedError
from apps.support.errors import ConflictError, DatabaseNotReadyError, NotFoundError, SupportError
from core_model.errors import ContextLengthError, CoreError, EngineClosedError, RequestError
from ui.openai.errors import BusyError, NotReadyError
from ui.pages.words import TEXTS

Language = Literal["en", "zh"]
LANGUAGES: dict[Language, str] = {"en": "English", "zh": "中文"}
LANGUAGE_TAGS: dict[Language, str] = {"en": "en", "zh": "zh-Hans"}
"""As HTML names them."""


def text(key: str, language: Language, **values: object) -> str:
    """The words for `key`; `values` fill its placeholders."""
    english, chinese = TEXTS[key]
    return (chinese if language == "zh" else english).format(**values)


def named(kind: str, name: str, language: Language) -> str:
    """The words for a `name` of this `kind` (an intent, a reason …), or the name where there are none."""
    return text(f"{kind}.{name}", language) if f"{kind}.{name}" in TEXTS else name


_ERRORS: dict[type[Exception], str] = {
    NotReadyError: "error.loading",
    BusyError: "error.busy",
    ContextLengthError: "error.too_long",
    LanguageNotServedError: "error.language",
    NoCodeAskedError: "code.no_code_asked",
    ConflictError: "error.running",
    NotFoundError: "error.gone",
    DatabaseNotReadyError: "error.database",
    EngineClosedError: "error.stopping",
}


def error_text(error: Exception, language: Language) -> str:
    """What a person reads of an error: one friendly line, nothing of its insides."""
    if isinstance(error, RequestError) and error.parameter == "suffix":
        return text("error.cannot_fill", language)
    known = next((key for kind, key in _ERRORS.items() if isinstance(error, kind)), "error.other")
    return text(known, language)


def unexpected(error: Exception) -> bool:
    """Whether the log should tell where it came from."""
    return not isinstance(error, CoreError | SupportError | NotReadyError | BusyError)


def preferred(accept_language: str) -> Language:
    """The language of a browser that sends this header: Chinese if it stands before English."""
    for part in accept_language.lower().split(","):
        if part.strip().startswith("zh"):
            return "zh"
        if part.strip().startswith("en"):
            return "en"
    return "en"
