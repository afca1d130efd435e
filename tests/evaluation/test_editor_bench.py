"""Typing sessions, what a suggestion is worth, and the figures of a run."""

from __future__ import annotations

from pathlib import Path

import pytest

from evaluation.cases import CaseFile
from evaluation.editor.bench import figures, run
from evaluation.editor.contestants import Contestant, Suggested, llama_cpp
from evaluation.editor.scoring import score
from evaluation.editor.sessions import Session, sessions
from evaluation.errors import EvaluationError

FILES = {
    "python": (
        "# what it is for\nimport os\n\n\n"
        "def names(folder):\n    found = os.listdir(folder)\n    return sorted(found)\n"
    ),
    "java": "class Counter {\n    private int count;\n\n    void add(int more) {\n        count += more;\n    }\n}\n",
    "cpp": "#include <vector>\n\nint twice(int number) {\n  int result = 2 * number;\n  return result;\n}\n",
}
ROWS = [{"language": name, "path": f"a.{name}", "text": text} for name, text in FILES.items()]
WHOLE = [session for kind in ("line", "block") for session in sessions(ROWS, kind, 10, seed=3)]


@pytest.mark.parametrize("session", WHOLE, ids=lambda session: session.key)
def test_a_session_is_a_file_that_is_cut_where_its_author_wrote_code(session: Session) -> None:
    assert session.prefix + session.expected + session.suffix == FILES[session.language]
    assert "what it is for" not in session.expected
    assert session.expected.strip()
    if session.kind == "line":
        assert "\n" not in session.expected
        assert session.suffix.startswith("\n")
    else:
        assert session.prefix.rpartition("\n")[2].strip() == ""
    for prefix in session.keystrokes:
        assert FILES[session.language].startswith(prefix)


def test_each_language_gives_a_line_and_a_block() -> None:
    assert sorted((session.language, session.kind) for session in WHOLE) == sorted(
        (language, kind) for language in FILES for kind in ("line", "block")
    )


SESSION = Session("k", "python", "line", "import os\n\nx = os.", "listdir(y)", "\nprint(x)\n", 3)


@pytest.mark.parametrize(
    ("text", "exact", "repeats", "parses", "unexplained"),
    [
        ("listdir(y)", True, False, True, 1),
        ("listdir(y)\nmore()", True, False, True, 2),
        ("getcwd()", False, False, True, 0),
        ("getcwd()\nprint(x)", False, True, True, 0),
        ("listdir(", False, False, False, 0),
        ("", False, False, True, 0),
    ],
)
def test_a_suggestion_is_compared_with_what_the_author_wrote(
    text: str, exact: bool, repeats: bool, parses: bool, unexplained: int
) -> None:
    found = score(SESSION, text)
    assert (found.exact, found.repeats, found.parses, found.unexplained) == (
        exact,
        repeats,
        parses,
        unexplained,
    )
    assert found.shown is bool(text)
    assert (found.similarity == 1.0) is exact


class Author:
    """Knows what comes."""

    name = "author"

    def suggest(self, prefix: str, suffix: str, block: bool) -> Suggested:
        whole = next(text for text in FILES.values() if text.startswith(prefix) and text.endswith(suffix))
        return Suggested(whole[len(prefix) : len(whole) - len(suffix)], 0.25)


class Silent:
    """Suggests nothing, and breaks down at the second file."""

    name = "silent"

    def __init__(self) -> None:
        self.files: set[str] = set()

    def suggest(self, prefix: str, suffix: str, block: bool) -> Suggested:
        self.files.add(suffix[-20:])
        if len(self.files) > 1:
            raise EvaluationError("out of order")
        return Suggested("", 0.5)


def test_the_figures_say_who_is_right_and_how_fast_and_that_somebody_broke_down(tmp_path: Path) -> None:
    contestants: list[Contestant] = [Author(), Silent()]
    with CaseFile(tmp_path / "cases.jsonl", {"seed": 3}) as cases:
        run(WHOLE, contestants, cases)
        found = figures(list(cases.cases.values()))
    assert found["author_exact"] == found["author_similarity"] == found["author_parses_when_shown"] == 1.0
    assert found["author_python_line_exact"] == found["author_cpp_block_exact"] == 1.0
    assert found["author_warm_median_ms"] == found["author_cold_p95_ms"] == 250
    assert found["author_repeats_suffix"] == 0
    assert found["silent_failed"] == 1
    assert found["silent_shown"] == 0
    assert "author_failed" not in found


def test_what_ends_the_peers_process_is_an_error_of_the_peer(tmp_path: Path) -> None:
    with pytest.raises(EvaluationError, match="llama"), llama_cpp(tmp_path / "no-model.gguf", threads=1):
        pass
