"""What can go wrong with grammars, each with what to do about it."""

from __future__ import annotations


class GrammarError(Exception):
    """Something about a grammar that the caller must know."""


class UnknownLanguageError(GrammarError):
    """The language has no grammar here."""

    def __init__(self, name: str, known: list[str]) -> None:
        super().__init__(f"no grammar for language {name!r}; known: {', '.join(known)}")


class GrammarPackageMissingError(GrammarError):
    """The tree-sitter wheel of a language is not installed."""

    def __init__(self, package: str, version: str) -> None:
        super().__init__(f"the package {package} is not installed; run: pip install {package}=={version}")


class GrammarVersionError(GrammarError):
    """The installed tree-sitter wheel is not the one the data file was built from."""

    def __init__(self, language: str, package: str, expected: str, found: str) -> None:
        super().__init__(
            f"the data file of {language} was built from {package} with {expected}, installed is {found}. "
            f"Install that version, or rebuild the file: python -m apps.code.grammar.build {language}"
        )


class GrammarBuildError(GrammarError):
    """A data file could not be built from a grammar package's sources."""


class PrefixNotViableError(GrammarError):
    """The user's own text before the cursor is not the beginning of a program of the language."""

    def __init__(self, language: str) -> None:
        super().__init__(f"the text before the cursor is not a beginning of a {language} program")
