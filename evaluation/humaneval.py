"""HumanEval and what followed its format: HumanEval-X and MBXP.

Sources: github.com/openai/human-eval (MIT), THUDM/CodeGeeX (codegeex/benchmark/humaneval-x),
amazon-science/mxeval.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from apps.code.prompts import LANGUAGE_NAMES, fence
from evaluation.errors import DataError
from evaluation.problems import Problem, read_rows

_NEEDED = ("task_id", "prompt", "test")
# Headers that the tests of the C++ rows use without including them, as the benchmark's own runner adds them
# (codegeex/benchmark/utils.py, IMPORT_HELPER); openssl and boost are for two problems only.
_CPP_BEFORE = "".join(
    f"#include<{name}>\n"
    for name in (
        "stdlib.h",
        "algorithm",
        "math.h",
        "stdio.h",
        "vector",
        "string",
        "climits",
        "cstring",
        "iostream",
    )
)
_JAVA_BEFORE = "import java.util.*;\nimport java.lang.*;\n"
_PYTHON_BEFORE = (
    "import math\nimport re\nimport sys\nimport copy\nimport datetime\nimport itertools\nimport collections\n"
)
_BEFORE = {"python": _PYTHON_BEFORE, "java": _JAVA_BEFORE, "cpp": _CPP_BEFORE}


def load(path: Path, language: str) -> list[Problem]:
    """Raises DataError."""
    return [problem_of(row, language) for row in read_rows(path)]


def problem_of(row: dict[str, Any], language: str) -> Problem:
    """One row in HumanEval's, HumanEval-X's or MBXP's format. Raises DataError."""
    missing = [name for name in _NEEDED if not isinstance(row.get(name), str)]
    if missing:
        raise DataError(f"a row ({row.get('task_id')}) has no text in {', '.join(missing)}")
    prompt, test = row["prompt"], row["test"]
    entry_point = row.get("entry_point") or _entry_point(row.get("declaration") or prompt, language)
    if not re.search(rf"\b{re.escape(entry_point)}\b", prompt):
        raise DataError(
            f"row {row['task_id']} fits no benchmark format: its prompt says nothing of {entry_point}, which is tested"
        )
    if language == "python" and not re.search(r"^check\(", test, re.MULTILINE):
        test += f"\n\ncheck({entry_point})\n"
    solution = row.get("canonical_solution")
    return Problem(
        task_id=row["task_id"],
        language=language,
        task=f"{fence(language)}{prompt.strip()}\n```",
        start=prompt,
        before=_BEFORE[language],
        after="\n" + test + "\n",
        entry_point=entry_point,
        reference=prompt + solution if solution else None,
    )


def _entry_point(declaration: str, language: str) -> str:
    """The function that a declaration ends with: the last one in it."""
    patterns = {
        "python": r"^\s*def\s+(\w+)\s*\(",
        "java": r"(\w+)\s*\([^()]*\)[^(){};]*\{",
        "cpp": r"(\w+)\s*\([^;{}]*\)\s*\{",
    }
    found = re.findall(patterns[language], declaration, re.MULTILINE)
    if not found:
        raise DataError(f"no {LANGUAGE_NAMES[language]} function in {declaration[-80:]!r}")
    return str(found[-1])
