"""An instruction on a selection: what takes its place, in its place."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from apps.code.answers import Answer, Token
from apps.code.assistant import CodeAssistant
from apps.code.constraints import Constraints
from apps.code.editing import Edit, Editor
from apps.code.editing.edit import unified_diff
from apps.code.errors import LanguageNotServedError
from apps.code.syntax import parses
from core_model import Engine
from core_model.chat_model import DuetChatModel
from core_model.errors import ContextLengthError, RequestError
from core_model.tokenizer import Tokenizer

PYTHON = "class A:\n    def f(self, x):\n        y = x + 1\n        return y\n\n    def g(self):\n        return 2\n"
JAVA = (
    "class A {\n    int f(int x) {\n        return x;\n    }\n\n    int g() {\n        return 2;\n    }\n}\n"
)
CPP = "#include <vector>\n\nint f(int x) {\n    return x;\n}\n\nint main() {\n    return f(0);\n}\n"


@pytest.fixture(scope="module")
def assistant(edge_engine: Engine) -> CodeAssistant:
    return CodeAssistant(DuetChatModel(engine=edge_engine))


def edit(code: str, selected: str, instruction: str = "shorten it", **options: object) -> Edit:
    prefix, suffix = code.split(selected)
    return Edit(instruction, prefix, selected, suffix, **options)  # type: ignore[arg-type]


def takes(constraints: Constraints, tokenizer: Tokenizer, asked: Edit, language: str, text: str) -> bool:
    """Whether `text`, as a model writes it at the margin, may be the whole answer."""
    constraint = constraints.placed(language, asked.prefix, asked.at_margin, asked.after, asked.indentation)
    assert constraint is not None
    for token in tokenizer.encode(text):
        if not constraint.allows(token):
            return False
        constraint.accept(token)
    return constraint.may_end()


def test_what_is_selected_within_a_line_stands_for_whole_lines() -> None:
    asked = edit(PYTHON, "x + 1")
    assert (asked.selection, asked.at_margin) == ("        y = x + 1", "y = x + 1")
    assert asked.prefix + asked.selection + asked.suffix == PYTHON


@pytest.mark.parametrize(
    "selected", ["        y = x + 1\n        return y\n", "        y = x + 1\n        return y"]
)
def test_the_selection_put_back_is_the_file(selected: str) -> None:
    asked = edit(PYTHON, selected)
    assert asked.lines == ["        y = x + 1", "        return y"]
    assert asked.file_with(asked.selection) == PYTHON
    assert asked.diff(asked.selection) == ""


def test_an_edit_of_nothing_is_refused() -> None:
    with pytest.raises(RequestError, match="nothing is selected") as refused:
        Edit("shorten it", "x = 1\n", "  \n")
    assert refused.value.parameter == "selection"


def test_the_diff_is_one_that_git_applies(tmp_path: Path) -> None:
    asked = edit(PYTHON, "        y = x + 1\n        return y\n", filename="a.py")
    (tmp_path / "a.py").write_text(PYTHON)
    changed = "        return x + 1\n"
    subprocess.run(["git", "apply"], input=asked.diff(changed), text=True, cwd=tmp_path, check=True)
    assert (tmp_path / "a.py").read_text() == asked.file_with(changed)


def test_the_diff_tells_a_last_line_without_an_end() -> None:
    assert unified_diff("a", "b", "f").endswith(
        "-a\n\\ No newline at end of file\n+b\n\\ No newline at end of file\n"
    )


def test_in_its_place_only_what_parses_there_may_end(edge_tokenizer: Tokenizer) -> None:
    constraints = Constraints(edge_tokenizer)
    body = edit(PYTHON, "        y = x + 1\n        return y\n")
    assert takes(constraints, edge_tokenizer, body, "python", "return x + 1\n```")
    assert takes(constraints, edge_tokenizer, body, "python", "for i in x:\n    yield i\n")
    assert not takes(constraints, edge_tokenizer, body, "python", "")  # nothing would be left of the function
    assert not takes(constraints, edge_tokenizer, body, "python", "if x:\n```")
    method = edit(JAVA, "    int f(int x) {\n        return x;\n    }\n")
    assert takes(constraints, edge_tokenizer, method, "java", "int f(int x) {\n    return x + 1;\n}\n```")
    assert takes(constraints, edge_tokenizer, method, "java", "```")  # a class can do without it
    assert not takes(
        constraints, edge_tokenizer, method, "java", "int f(int x) {\n    return x + 1;\n}\n}\n```"
    )
    line = edit(CPP, "    return x;\n")
    assert takes(constraints, edge_tokenizer, line, "cpp", "return x > 0 ? x : -x;\n```")
    assert not takes(constraints, edge_tokenizer, line, "cpp", "if (x) {\n    return x;\n```")


def test_a_selection_that_does_not_parse_is_to_be_mended(edge_tokenizer: Tokenizer) -> None:
    broken = edit(CPP.replace("return x;", "return x"), "    return x\n", "add what is missing")
    constraints = Constraints(edge_tokenizer)
    assert not takes(constraints, edge_tokenizer, broken, "cpp", "return x\n```")
    assert takes(constraints, edge_tokenizer, broken, "cpp", "return x;\n```")


def test_of_a_part_of_a_file_that_says_nothing_nothing_is_demanded(edge_tokenizer: Tokenizer) -> None:
    constraints = Constraints(edge_tokenizer)
    assert constraints.placed("python", "", "elif x:\n    y()", "") is None
    assert constraints.placed("python", "", "return x", "") is not None
    assert constraints.placed("java", "    }\n\n", "int f() { return 1; }", "\n}\n") is None


@pytest.mark.parametrize(
    ("code", "selected", "language"),
    [
        (PYTHON, "        y = x + 1\n        return y\n", "python"),
        (PYTHON, "x + 1", "python"),
        (PYTHON.replace("\n", "\r\n"), "        y = x + 1\r\n        return y\r\n", "python"),
        (JAVA, "    int f(int x) {\n        return x;\n    }\n", "java"),
        (CPP, CPP[len("#include <vector>\n\n") :], "cpp"),
    ],
)
@pytest.mark.parametrize("budget", [8, 40])
def test_whatever_a_model_writes_the_file_parses_with_it(
    assistant: CodeAssistant, code: str, selected: str, language: str, budget: int
) -> None:
    asked = edit(
        code, selected, "use other names", filename=f"a.{language}", language=language, max_tokens=budget
    )
    *tokens, answer = assistant.edit(asked)
    assert isinstance(answer, Answer)
    whole = asked.prefix + answer.code + asked.suffix
    assert parses(whole, language)
    assert answer.parses
    assert "".join(token.text for token in tokens if isinstance(token, Token)) == answer.code
    assert answer.selection == asked.selection
    assert answer.diff == asked.diff(answer.code)
    assert ("\r\n" in code) == ("\r\n" in whole)
    assert "\n" not in whole.replace("\r\n", "") or "\r\n" not in code


def test_without_tokens_to_write_the_selection_is_only_read(edge_engine: Engine) -> None:
    editor = Editor(edge_engine)
    read = editor.submit(Edit("", "", PYTHON, max_tokens=0)).result()
    assert read.text == ""
    asked = editor.submit(Edit("use other names", "", PYTHON, max_tokens=2)).result()
    assert asked.cached_tokens > 32


def test_a_language_that_is_none_of_ours_is_edited_freely_by_the_editor_alone(
    assistant: CodeAssistant, edge_engine: Engine
) -> None:
    text = Edit("make it louder", "", "milk, eggs, bread\n", max_tokens=8)
    assert Editor(edge_engine).submit(text).result().complete is None
    with pytest.raises(RequestError, match="name it"):
        next(assistant.edit(text))
    with pytest.raises(LanguageNotServedError):
        next(assistant.edit(Edit("shorten it", "", "a := 1", language="pascal")))


def test_a_selection_that_the_model_has_no_room_for_is_refused(assistant: CodeAssistant) -> None:
    with pytest.raises(ContextLengthError):
        next(assistant.edit(Edit("shorten it", "", "x = 1\n" * 20_000, filename="a.py")))
