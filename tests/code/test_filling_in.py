"""Gaps in files as an editor's user leaves them: `|` is the cursor."""

from __future__ import annotations

import ast

import pytest

from apps.code.constraints import Constraints
from apps.code.syntax import parses
from core_model.tokenizer import Tokenizer

PYTHON = {
    "in the middle of a line": ("def f(a):\n    return | * 3\n", "a * 2", "a *"),
    "in an argument list": ("print(a, |, b)\n", "c.d()", "c.d("),
    "in a call over several lines": ("foo(\n    a,\n    |\n)\n", "b,\n    c", "b["),
    "in an indented block": (
        "class A:\n    def f(self):\n        |\n\n    x = 1\n",
        "if x:\n            y()",
        "if x:",
    ),
    "in a block before else": ("if x:\n    |\nelse:\n    y()\n", "z()", "z("),
    "in a try": ("try:\n    |\nexcept E:\n    pass\n", "z()", "z("),
    "after a try": ("try:\n    a()\n|\nprint()\n", "finally:\n    b()", "finally:"),
    "in a string": ('name = "hello |"\nprint(name)\n', "world", None),
    "in a formatted string": ('name = f"hello {|}"\n', "user.name", "user["),
    "in a docstring": ('def f():\n    """Give |\n    """\n', "one.", None),
    "in a comment": ("x = 1  # the |\ny = 2\n", "first", None),
    "at the end of the file": ("import os\n\n|", "print(os.name)\n", "print("),
    "in an empty file": ("|", "x = 1\n", "x ="),
    "at the end of an open block": ("def f():\n    |", "return 1\n", "return ("),
    "in a file with CRLF": (
        "def f(a):\r\n    |\r\n\r\nprint(f(1))\r\n",
        "if a:\r\n        a = 2\r\n    return a",
        "if a:",
    ),
    "between tabs": ("def f(a):\n\tif a:\n\t\t|\n\treturn a\n", "a += 1\n\t\ta -= 1", "a +="),
    "beside other scripts": ("# 你好\n名字 = |\nprint(名字)\n", "'größe 🎉'", "'größe"),
    "after a byte order mark": ("\ufeffimport os\nx = |\n", "os.name", "os."),
    "in a suffix that is no program itself": ("x = [1, |]\n", "2", "(2"),
    "before a dedent": ("def f(a):\n    for b in a:\n        |\n    return 1\n", "print(b)", "print("),
    "in a word": ("def f(self):\n    retu|\n", "rn self", "rn ("),
    "after a backslash": ("x = 1 + \\\n    |\n", "2", "(2"),
    "after a decorator's mark": ("@|\ndef f(): pass\n", "cache", "cache("),
    "between two entries": ("d = {\n    'a': 1,\n    |\n}\n", "'b': 2,", "'b':"),
}
JAVA = {
    "in the middle of a line": ("class A { int f() { return | * 3; } }\n", "x * 2", "x *"),
    "in an argument list": ("class A { void f() { g(a, |, b); } }\n", "c.d()", "c.d("),
    "in a block": ("class A {\n    void f() {\n        |\n    }\n}\n", "if (x) {\n y(); }", "if (x) {"),
    "in a string": ('class A { String s = "a|"; }\n', "bc", None),
    "in a comment": ("class A { // x |\n int y; }\n", "y", None),
    "at the end of an open method": ("class A {\n    void f() {\n        |", "}\n}\n", "x = ("),
    "in a file with CRLF": ("class A {\r\n    |\r\n}\r\n", "int x;\r\n    int y;", "int x"),
    "beside other scripts": ("class Größe { String 名 = |; }\n", '"é🎉"', '"é'),
    "between type arguments": ("class A { List<|> x; }\n", "String", "Map<"),
    "where a brace is missing": ("class A { void f() { | }\n", "}", "x();"),
}
CPP = {
    "in the middle of a line": ("int f() { return | * 3; }\n", "x * 2", "(x *"),
    "in an argument list": ("int main() { f(a, |, b); }\n", "c.d()", "c.d("),
    "in a block": ("int main() {\n  |\n  return 0;\n}\n", "for (;;) {\n  }", "for (;;) {"),
    "in a directive": ("#include |\nint main() {}\n", "<vector>", "<vec"),
    "in a raw string": ('auto s = R"(a|)";\n', ") b", None),
    "at the end of an open function": ("int main() {\n  |", "return 0;\n}\n", "return ("),
    "in a file with CRLF": ("int main() {\r\n  |\r\n}\r\n", "int x = 1;\r\n  int y = 2;", "int x ="),
    "between conditions of the preprocessor": ("#ifdef X\nint a;\n|\n#endif\nint b;\n", "int c;", "int c"),
    "in a namespace": ("namespace a {\n|\n}\n", "int x;", "int f() {"),
}
CASES = [
    pytest.param(language, *case, id=f"{language} {name}")
    for language, cases in (("python", PYTHON), ("java", JAVA), ("cpp", CPP))
    for name, case in cases.items()
]


@pytest.fixture(scope="module")
def constraints(qwen_tokenizer: Tokenizer) -> Constraints:
    return Constraints(qwen_tokenizer)


@pytest.mark.parametrize(("language", "file", "typed", "half"), CASES)
def test_what_fits_may_be_inserted_and_what_is_half_written_is_completed(
    language: str,
    file: str,
    typed: str,
    half: str | None,
    constraints: Constraints,
    qwen_tokenizer: Tokenizer,
) -> None:
    prefix, suffix = file.split("|")
    constraint = constraints.program(language, prefix, suffix)
    assert constraint is not None
    half_way = constraint.fork()
    for token in qwen_tokenizer.encode(typed):
        constraint.accept(token)
    assert constraint.may_end()
    assert parses(prefix + typed + suffix, language)
    if half is None:
        return
    for token in qwen_tokenizer.encode(half):
        half_way.accept(token)
    assert not half_way.may_end()
    closing = qwen_tokenizer.decode(half_way.closing())
    assert closing
    assert parses(prefix + half + closing + suffix, language)
    if language == "python":
        ast.parse((prefix + half + closing + suffix).removeprefix("\ufeff"))


@pytest.mark.parametrize(
    ("language", "prefix"),
    [
        ("python", "def f(a:\n    return 1\n"),
        ("python", "x = 'a\n"),
        ("java", "class A { void f() { if } "),
        ("cpp", "int main() { ) "),
    ],
)
def test_where_the_users_own_beginning_is_broken_there_is_no_constraint(
    language: str, prefix: str, constraints: Constraints
) -> None:
    assert constraints.program(language, prefix, "\n") is None


@pytest.mark.parametrize("suffix", ["\n(]\n", "\nif }\n", "\nclass class\n"])
def test_after_a_broken_suffix_nothing_is_found_and_what_begins_a_program_is_still_allowed(
    suffix: str, constraints: Constraints, qwen_tokenizer: Tokenizer
) -> None:
    constraint = constraints.program("python", "def f(a):\n    ", suffix)
    assert constraint is not None
    for token in qwen_tokenizer.encode("return a"):
        constraint.accept(token)
    assert not constraint.may_end()
    assert constraint.closing() == []
    assert constraint.longest_complete() is None
