"""Gaps whose cut lines opened what the suffix closes."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from apps.code.grammar.grammar import grammar
from apps.code.grammar.program import ProgramText
from apps.code.syntax import parses

PYTHON = {
    "a condition": "def f(a):\n|        return 1\n    return 2\n",
    "two blocks": "x = 1\n|            y()\n        z()\n    a()\n",
    "the block of an else": "|else:\n    y()\n",
    "a try": "def f():\n|    except KeyError:\n        pass\n",
    "the start of a call": "x = 1\n|    a,\n    b,\n)\n",
    "the start of a docstring": 'def f():\n|    Says so.\n    """\n    return 1\n',
    "an entry's key": "d = {\n    'a': 1,\n    b|\n    'c': 2,\n}\n",
    "a match": "|    case 1:\n        pass\n",
    "the end of a comment": "# what |\n    return 1\n",
    "a condition in brackets": "def f():\n    # so |\n        and b\n    ):\n        return 1\n",
}
JAVA = {
    "a class": "package a;\n|    int x;\n}\n",
    "a class with a constructor": "/** Says. */\n|    private Trip() { }\n}\n",
    "a class and a method": "import a.B;\n|        return 1;\n    }\n}\n",
    "the end of a comment and a class": "/**\n * Says|\n    int x;\n}\n",
    "the start of a comment": "class A {\n|     * Says so.\n     */\n    int x;\n}\n",
    "a constructor": "class A {\n    int x;\n|        super(x);\n    }\n}\n",
    "a switch": "class A { void f() {\n|        case 1: break;\n    }\n} }\n",
    "an if": "class A { void f() {\n|        x();\n    } else {\n        y();\n    }\n} }\n",
    "a module": "/** Says. */\n|    exports a.b;\n}\n",
    "an argument": "class A { int x = f(a|\n    b);\n}\n",
}
CPP = {
    "two namespaces": "#include <a>\n|int x;\n}}\n",
    "a namespace after a condition": "#ifdef A\n#include <a>\n#else\n#include <b>\n|int x;\n}\n",
    "a struct": "struct a\n|    a() : b(1) {}\n};\n",
    "a do loop": "int f() {\n|  } while (x);\n}\n",
    "a try": "int f() {\n|  } catch (...) {\n  }\n}\n",
    "a call": "int f() {\n|    b);\n}\n",
    "a comment": "int x;\n| says */\nint y;\n",
}
JSON = {"an object": '|"a": 1}', "a list": '{"a": |1, 2]}'}
CASES = [
    pytest.param(language, file, id=f"{language} {name}")
    for language, files in (("python", PYTHON), ("java", JAVA), ("cpp", CPP), ("json", JSON))
    for name, file in files.items()
]


def join(language: str, prefix: str, suffix: str) -> str | None:
    program = ProgramText(grammar(language), prefix, suffix)
    return program.completion(program.start)


@pytest.mark.parametrize(("language", "file"), CASES)
def test_what_was_cut_is_opened_again(language: str, file: str) -> None:
    prefix, suffix = file.split("|")
    text = join(language, prefix, suffix)
    assert text, "nothing was found, or nothing was missing"
    if language != "json":
        assert parses(prefix + text + suffix, language)
    if language == "python":
        ast.parse(prefix + text + suffix)


def test_every_line_of_a_file_can_be_cut() -> None:
    source = Path(__file__).read_text("utf-8")
    lines = source.splitlines(keepends=True)
    for cut in range(len(lines)):
        prefix, suffix = "".join(lines[:cut]), "".join(lines[cut + 1 :])
        text = join("python", prefix, suffix)
        assert text is not None, f"line {cut + 1}"
        ast.parse(prefix + text + suffix)


def test_a_suffix_that_nothing_fits_before_is_given_up() -> None:
    assert join("java", "class A { void f() { x = ", "; } ) } ( ]\n") is None


def test_what_is_written_meanwhile_is_respected() -> None:
    program = ProgramText(grammar("java"), "class A { void f() {\n", "    }\n} }\n")
    state = program.start
    for piece in ("if (x) {", "\n", "y();\n"):
        assert program.completion(state) is not None
        after = program.advance(state, piece)
        assert after is not None
        state = after
    assert program.may_end(state)
