"""What a language wants to be told before it is used, added to code that lacks it."""

from __future__ import annotations

from apps.code import cpp_declarations, java_imports, python_imports

_ADDED = {
    "python": python_imports.with_declarations,
    "java": java_imports.with_declarations,
    "cpp": cpp_declarations.with_declarations,
}


def with_declarations(code: str, language: str) -> str:
    """Code with the imports or headers of the standard library's names that it uses, and with exceptions that it throws
    and nobody defines; C++ with declarations of functions that stand behind their first use, Java with a class around
    methods that stand in none."""
    return _ADDED[language](code)
