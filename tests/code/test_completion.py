"""Gaps: their language, shape, context, and what of the model's text is suggested."""

from __future__ import annotations

import pytest

from apps.code.completion import Gap, OtherFile, Room
from apps.code.completion.context import fim_prompt
from apps.code.completion.detection import detect
from apps.code.completion.ending import GapEnding
from apps.code.completion.fitting import Fit
from apps.code.completion.healing import GapConstraint, half_word, spellings
from apps.code.completion.shape import Shape, shape_at
from apps.code.completion.undeclared import undeclared_uses
from apps.code.constraints import Constraints
from core_model.errors import RequestError
from core_model.tokenizer import Tokenizer

PYTHON = "import os\n\n\ndef names(folder):\n    |\n\n\nprint(names('.'))\n"
JAVA = "package a;\n\nclass A {\n    int twice(int x) {\n        |\n    }\n}\n"
CPP = "#include <vector>\n\nint sum(const std::vector<int>& v) {\n  int s = 0;\n  |\n  return s;\n}\n"


@pytest.mark.parametrize(
    ("file", "language"),
    [
        (PYTHON, "python"),
        (JAVA, "java"),
        (CPP, "cpp"),
        ("Dear all,\n\nthe meeting is at ten.\nPlease bring |\n\nYours\n", None),
        ("const f = (x) => {\n  return x.map(y => y + 1)\n}\nlet |\nexport default f\n", None),
        ("|", None),
    ],
)
def test_the_language_is_found_in_the_text(file: str, language: str | None) -> None:
    prefix, suffix = file.split("|")
    assert detect(prefix, suffix, None, []) == language


@pytest.mark.parametrize(
    ("prefix", "filename", "others", "language"),
    [
        ("x = ", "a.py", [], "python"),
        ("x = ", "notes.txt", ["a.py"], None),
        ("#!/usr/bin/env python3\n", None, [], "python"),
        ("import a.b.C;\nimport a.b.D;\n\nclass E {\n", None, ["x.py", "A.java"], "java"),
        ("int x = 1;\nint y = 2;\nint z = x + y;\n", None, ["lib/b.cc"], "cpp"),
        ("let a = 1\nlet b = 2\nlet c = a + b\nlet d = c\n", None, ["b.js"], None),
    ],
)
def test_names_say_which_language_where_there_are_any(
    prefix: str, filename: str | None, others: list[str], language: str | None
) -> None:
    assert detect(prefix, "", filename, others) == language


@pytest.mark.parametrize(
    ("language", "file", "shape"),
    [
        ("python", "def f(a):\n    |\n", Shape.BLOCK),
        ("python", "def f(a):|\n", Shape.BLOCK),
        ("python", "x = {'a':|}\n", Shape.LINE),
        ("python", "x = {'a':\n    |\n}\n", Shape.LINE),
        ("python", 'x = """if a:\n|\n"""\n', Shape.LINE),
        ("python", "def f(a):\n    return |\n", Shape.LINE),
        ("java", "class A {\n    void f() {\n        |\n    }\n}\n", Shape.BLOCK),
        ("java", "class A { int[] x = {|}; }\n", Shape.LINE),
        ("cpp", "int main() {\n  |\n}\n", Shape.BLOCK),
        ("cpp", "int x[] = {\n  |\n};\n", Shape.LINE),
        ("cpp", "int main() {\n  |  // ends well\n}\n", Shape.BLOCK),
        ("cpp", "int main() {\n  |  f();\n}\n", Shape.LINE),
        (None, "list:\n    |\n", Shape.LINE),
    ],
)
def test_after_the_head_of_a_block_a_block_is_wanted(language: str | None, file: str, shape: Shape) -> None:
    prefix, _, suffix = file.partition("|")
    assert shape_at(prefix, suffix, language) is shape


def ended(file: str, text: str, language: str | None = "python", whole: bool = True) -> str | None:
    """What is kept of a text that is written word by word; None where it goes on."""
    prefix, suffix = file.split("|")
    fit = Fit(prefix, suffix, language, whole)
    ending = GapEnding(prefix, suffix, "", shape_at(prefix, suffix, language), fit)
    for end in range(1, len(text) + 1):
        keep = ending(text[:end])
        if keep is not None:
            return text[:keep]
    return None


@pytest.mark.parametrize(
    ("language", "file", "text", "kept"),
    [
        ("python", "x = |\ny = 2\n", "f(1)\ny = 3\n", "f(1)"),
        ("python", "x = f(|)\n", "a)\nb", "a"),
        ("python", "with open(|) as f:\n    pass\n", "p, 'w') as f:\n", "p, 'w'"),
        ("python", "x = f(|)\n", "g(1))", "g(1)"),
        ("python", "x = |\ny = 2\n", "[\n    1,\n]\nz", "[\n    1,\n]"),
        ("python", "if a:\n    b()\n|\nc()\n", "\n", ""),
        ("python", "def f(a):\n    |\n\nf(1)\n", "b = a\n    return b\n\nf(2)", "b = a\n    return b\n"),
        ("python", "def f(a):\n    |\n    return a\n", "a += 1\n    return a\n", "a += 1"),
        ("java", "class A {\n  void f() {\n    |\n  }\n}\n", "g();\n    h();\n  }\n}", "g();\n    h();"),
        ("java", "class A {\n  void f() {\n    |\n}\n", "g();\n  }\n}", "g();\n  }"),
        ("cpp", "int f() {\n  return |;\n}\n", "1;\n", "1"),
        ("python", "x = |\ny = 2\n", "f(1)  # one\n", "f(1)"),
        ("python", "x = |\ny = 2\n", "f('#1')\n", "f('#1')"),
        ("cpp", "int f() {\n  return |\n}\n", "1;  // one\n", "1;"),
        ("cpp", "int f() {\n  |  // one\n}\n", "g();\n  return 1;\n}", "g();\n  return 1;"),
        ("java", "class A {\n  String s = |\n}\n", '"http://a";\n', '"http://a";'),
        (None, "Dear |\nYours\n", "all,\nno", "all,"),
    ],
)
def test_a_suggestion_ends_where_line_or_block_do(
    language: str | None, file: str, text: str, kept: str
) -> None:
    assert ended(file, text, language) == kept


def test_half_a_word_is_taken_back_and_demanded(qwen_tokenizer: Tokenizer) -> None:
    assert half_word("def f():\n    retu") == " retu"
    assert half_word("x = ") == " "
    assert half_word("f(x, ") == " "
    assert half_word("print(nam") == "(nam"
    assert half_word("os.") == "."
    assert half_word("f()\n    ") == half_word("f()\n") == half_word("") == ""
    grammar = Constraints(qwen_tokenizer).program("python", "def f():\n   ", "\n")
    constraint = GapConstraint(qwen_tokenizer, " retu", grammar)
    (whole,), (other,) = qwen_tokenizer.encode(" return"), qwen_tokenizer.encode(" raise")
    assert constraint.allows(whole)
    assert not constraint.allows(other)
    assert not constraint.may_end()
    constraint.accept(whole)
    assert constraint.may_end()
    with pytest.raises(ValueError, match="does not go on with"):
        GapConstraint(qwen_tokenizer, " retu", None).accept(other)


def test_a_half_word_is_written_in_one_token_or_as_the_file_writes_it(qwen_tokenizer: Tokenizer) -> None:
    part, whole = qwen_tokenizer.encode(" be")[0], qwen_tokenizer.encode(" being")[0]
    constraint = GapConstraint(qwen_tokenizer, " bei", None)
    assert constraint.allows(whole)
    assert not constraint.allows(part)
    known = spellings(qwen_tokenizer, " bei", "a beiXyz b\nbed")
    assert known == [qwen_tokenizer.encode(" beiXyz")]
    constraint = GapConstraint(qwen_tokenizer, " bei", None, known=known)
    for token in known[0]:
        assert constraint.allows(token)
        constraint.accept(token)
    long = GapConstraint(qwen_tokenizer, " colorContrastRationCal", None)
    assert long.allows(qwen_tokenizer.encode(" colorContrastRationCalculator")[0])
    assert not long.allows(qwen_tokenizer.encode(" ")[0])


def test_behind_white_space_stands_no_more_of_it(qwen_tokenizer: Tokenizer) -> None:
    (spaced,), (bare,) = qwen_tokenizer.encode(" return"), qwen_tokenizer.encode("return")
    constraint = GapConstraint(qwen_tokenizer, "", None, after_blank=True)
    assert constraint.allows(bare)
    assert not constraint.allows(spaced)
    constraint.accept(bare)
    assert constraint.allows(spaced)
    constraint = GapConstraint(qwen_tokenizer, " ", None)
    assert constraint.allows(spaced)
    assert not constraint.allows(*qwen_tokenizer.encode("  "))


ROOM = Room(before=464, after=48)


def numbered(count: int) -> str:
    return "".join(f"def f{n}(a):\n    return a + {n}\n\n\n" for n in range(count))


def test_the_next_keystroke_and_the_next_line_leave_the_beginning_of_the_prompt(
    qwen_tokenizer: Tokenizer,
) -> None:
    typed = numbered(60)
    suffix = numbered(4)
    prompts = [
        fim_prompt(qwen_tokenizer, typed + more, suffix, [], ROOM)
        for more in ("x", "x = ", "x = 1\ny", "x = 1\ny = 2\nz = 3\nz")
    ]
    for prompt in prompts:
        assert len(prompt) <= ROOM.before + ROOM.after + 8
    common = min(
        next(i for i, (a, b) in enumerate(zip(prompts[0], other, strict=False)) if a != b)
        for other in prompts[1:]
    )
    assert common > len(prompts[0]) - ROOM.after - 16


def test_where_the_beginning_of_a_file_is_left_out_its_imports_are_kept(qwen_tokenizer: Tokenizer) -> None:
    typed = "import os\nfrom pathlib import Path\n\n\n" + numbered(60) + "x = "
    text = qwen_tokenizer.decode(fim_prompt(qwen_tokenizer, typed, "\n", [], ROOM, "python"))
    assert text.startswith("import os\nfrom pathlib import Path\n")
    assert "def f0(" not in text
    assert "def f59(" in text


@pytest.mark.parametrize(
    ("language", "file", "uses"),
    [
        ("python", "import |\n\n\ndef f(a):\n    b = a\n    return np.sum(b)\n", ["    return np.sum(b)\n"]),
        (
            "python",
            "class A:\n    x = 1\n    |\n\n    def f(self):\n        a = len(self.b)\n        return a.c\n",
            ["        a = len(self.b)\n"],
        ),
        ("python", "def g|(a):\n    pass\n\n\nfor x in y(1):\n    print(x)\n", ["for x in y(1):\n"]),
        (
            "java",
            "import |\nclass A {\n  int f(int a) {\n    int b = g(a);\n    return b;\n  }\n}\n",
            ["    int b = g(a);\n"],
        ),
        ("java", "import |\nclass A {\n  List<A> all;\n}\n", ["  List<A> all;\n"]),
        (
            "cpp",
            "int x = |;\nint f(int a) {\n  g(a);\n  h(a);\n  return x.y;\n}\n",
            ["  g(a);\n", "  h(a);\n"],
        ),
    ],
)
def test_lines_are_found_that_use_what_nothing_declares(language: str, file: str, uses: list[str]) -> None:
    prefix, suffix = file.split("|")
    assert list(undeclared_uses(prefix, suffix, suffix.index("\n") + 1, language)) == uses


def test_far_lines_that_use_what_nothing_declares_are_shown(qwen_tokenizer: Tokenizer) -> None:
    suffix = "\n\n\n" + numbered(60) + "print(np.arange(3))\n"
    text = qwen_tokenizer.decode(fim_prompt(qwen_tokenizer, "import ", suffix, [], ROOM, "python"))
    assert "def f0(" in text
    assert "def f59(" not in text
    assert text.endswith("print(np.arange(3))\n")


def test_of_other_files_the_nearest_are_shown_where_there_is_room(qwen_tokenizer: Tokenizer) -> None:
    files = [OtherFile(f"f{n}.py", f"value_{n} = {n}\n" * 20) for n in range(8)]
    text = qwen_tokenizer.decode(fim_prompt(qwen_tokenizer, "x = 1\n", "\n", files, Room(350, 50)))
    assert "value_7" in text
    assert "value_0" not in text
    alone = qwen_tokenizer.decode(fim_prompt(qwen_tokenizer, numbered(60), "\n", files, Room(350, 50)))
    assert "value_" not in alone


def test_a_broken_file_takes_what_adds_no_error() -> None:
    fit = Fit(
        "def f(a):\n    return ", "\n\n\ndef g(b):\n    return b\n\n\nclass class\n", "python", whole=False
    )
    assert fit.fits("a + 1")
    assert not fit.fits("a + (")
    assert not fit.parses("a + 1")


@pytest.mark.parametrize(
    ("prefix", "suffix", "text", "fits"),
    [
        ("#ifdef A\nint a;\n#endif\n", "\nint b;\n", "#endif", False),
        ("#ifdef A\nint a;\n", "\nint b;\n", "#endif", True),
        ("#ifdef A\nint a;\n", "\n#endif\n", "#endif", False),
        ("#ifdef A\nint a;\n", "\n#endif\n", "#else\nint c;", True),
        ("int a;\n", "\nint b;\n", "#if B\nint c;\n#endif", True),
        ("int a;\n", "\nint b;\n", "#if B\nint c;", False),
        ("int a;\n#endif\n", "\nint b;\n", "int c;", True),
    ],
)
def test_a_condition_of_the_preprocessor_has_one_beginning_and_one_end(
    prefix: str, suffix: str, text: str, fits: bool
) -> None:
    assert Fit(prefix, suffix, "cpp", whole=False).fits(text) is fits


def test_more_alternatives_than_anybody_reads_are_refused() -> None:
    with pytest.raises(RequestError, match="1 to 16"):
        Gap("a", alternatives=17)
