"""LeetCodeDataset's rows (github.com/newfacade/LeetCodeDataset, MIT), for Python, and for Java and C++.

For Java and C++ the starter code and the tests are made from the typed Python signature and the input/output
pairs; the types are those that LeetCode itself uses.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from apps.code import drivers
from apps.code.prompts import fence
from apps.code.signatures import ValueType, signature_of
from evaluation.errors import DataError
from evaluation.problems import Problem, read_rows

_INT_MAX = 2**31 - 1


@dataclass(frozen=True)
class Method:
    """What a solution must define; all types are known."""

    name: str
    parameters: tuple[tuple[str, ValueType], ...]
    returns: ValueType


@dataclass(frozen=True)
class Pair:
    """Arguments in the signature's order, and what comes out."""

    arguments: tuple[Any, ...]
    result: Any


def load(path: Path, language: str) -> list[Problem]:
    """Raises DataError."""
    return [problem_of(row, language) for row in read_rows(path)]


def is_row(row: dict[str, Any]) -> bool:
    """Whether a row is LeetCodeDataset's and not HumanEval's."""
    return "input_output" in row and ("meta" in row or "starter_code" in row)


@dataclass(frozen=True)
class _Asked:
    """What a row asks for: in `meta` up to version 0.2 of the data, at the row's top since 0.3."""

    statement: str
    starter: str
    difficulty: str

    @staticmethod
    def of(row: dict[str, Any]) -> _Asked:
        if "starter_code" in row:
            return _Asked(row["problem_description"], row["starter_code"], row["difficulty"])
        meta = row["meta"]
        return _Asked(meta.get("question_title") or row["query"], meta["lang_code"], meta["difficulty"])


def problem_of(row: dict[str, Any], language: str) -> Problem:
    """Raises DataError for a row that cannot be turned into a problem of that language."""
    try:
        asked = _Asked.of(row)
        python_start = asked.starter.rstrip() + "\n"
        function = method_of(python_start)
        if language == "python":
            start, before, after = python_start, row["prompt"] + "\n", _python_tests(row)
            stdin, accepts, reference = "", None, row["completion"]
        else:
            pairs = [pair_of(item, function) for item in row["input_output"]]
            function = widened(function, pairs)
            start, reference = _STARTERS[language](function), None
            before, after = "", ""  # calls through a driver, whose answers are compared here
            stdin, accepts = drivers.arguments_in(pair.arguments for pair in pairs), _Expected(tuple(pairs))
    except (KeyError, TypeError, ValueError, SyntaxError, AttributeError) as error:
        raise DataError(f"row {row.get('task_id')} is not LeetCodeDataset's: {error!r}") from error
    return Problem(
        task_id=row["task_id"],
        language=language,
        task=f"{asked.statement.strip()}\n\nUse this starter code:\n{fence(language)}{start}```",
        start=start[start.index("class Solution") :],
        before=before,
        after=after,
        entry_point=function.name,
        reference=reference,
        difficulty=asked.difficulty,
        stdin=stdin,
        accepts=accepts,
    )


def method_of(starter: str) -> Method:
    """The method that Python starter code asks for. Raises ValueError."""
    found = signature_of(starter.rstrip() + " pass\n", "python")
    typed = [(name, kind) for name, kind in found.parameters if kind is not None] if found else []
    if found is None or found.returns is None or len(typed) < len(found.parameters):
        raise ValueError(f"no typed method in the starter code, but {found}")
    return Method(found.name, tuple(typed), found.returns)


def pair_of(item: dict[str, str], function: Method) -> Pair:
    """From 'nums = [1, 2], k = 3' and '[2]'. Raises ValueError."""
    call = ast.parse(f"f({item['input']})", mode="eval").body
    if not isinstance(call, ast.Call):
        raise ValueError(f"no arguments: {item['input'][:80]}")
    names = [name for name, _ in function.parameters]
    given = dict(zip(names, map(_literal, call.args), strict=False))
    given |= {keyword.arg or "": _literal(keyword.value) for keyword in call.keywords}
    # a few rows name a parameter in another way than the signature does, but keep the order
    arguments = [given[name] for name in names] if set(names) <= given.keys() else [*given.values()]
    if len(arguments) != len(names):
        raise ValueError(f"{len(names)} arguments are needed: {item['input'][:80]}")
    return Pair(tuple(arguments), _literal(ast.parse(item["output"].strip(), mode="eval").body))


def widened(function: Method, pairs: Sequence[Pair]) -> Method:
    """The signature with `long` where values need it, and `char` for grids of single letters."""
    parameters = tuple(
        (name, _fitting(kind, [pair.arguments[index] for pair in pairs], grid=True))
        for index, (name, kind) in enumerate(function.parameters)
    )
    return Method(
        function.name, parameters, _fitting(function.returns, [pair.result for pair in pairs], grid=False)
    )


@dataclass(frozen=True)
class _Expected:
    """Judges what a driver told against the pairs."""

    pairs: tuple[Pair, ...]

    def __call__(self, told: Sequence[str]) -> str | None:
        results = drivers.results_of(told)
        for pair, result in zip(self.pairs, results, strict=False):
            if result.error is not None:
                return f"{_brief(pair.arguments)}: {result.error}"
            if not drivers.same(result.value, pair.result):
                return f"{_brief(pair.arguments)} gives {_brief(result.value)}, not {_brief(pair.result)}"
        if len(results) != len(self.pairs):
            return f"{len(results)} results for {len(self.pairs)} calls"
        return None


def _python_tests(row: dict[str, Any]) -> str:
    return f"\n\n{row['test']}\n\ncheck({row['entry_point']})\n"


def _literal(node: ast.expr) -> Any:
    names = {"true": True, "false": False, "null": None, "True": True, "False": False, "None": None}
    match node:
        case ast.Name(id=name) if name in names:
            return names[name]
        case ast.List(elts=items) | ast.Tuple(elts=items):
            return [_literal(item) for item in items]
    return ast.literal_eval(node)


def _fitting(kind: ValueType, values: Sequence[Any], grid: bool) -> ValueType:
    if kind.kind == "list" and kind.element is not None:
        inner = [item for value in values for item in value]
        if grid and kind.element == ValueType("list", ValueType("str")):
            letters = [letter for row in inner for letter in row]
            if letters and all(len(letter) == 1 for letter in letters):
                return ValueType("list", ValueType("list", ValueType("char")))
        return ValueType("list", _fitting(kind.element, inner, grid))
    if kind.kind == "int" and any(isinstance(value, int) and abs(value) > _INT_MAX for value in values):
        return ValueType("long")
    return kind


def _brief(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 120 else text[:117] + "..."


_JAVA = {"int": "int", "long": "long", "float": "double", "str": "String", "char": "char", "bool": "boolean"}
_JAVA_BOXES = {"int": "Integer", "long": "Long", "float": "Double", "str": "String", "bool": "Boolean"}
_CPP = {"int": "int", "long": "long long", "float": "double", "str": "string", "char": "char", "bool": "bool"}


def java_type(kind: ValueType, *, returned: bool = False) -> str:
    """LeetCode takes arrays, and returns arrays of numbers but lists of strings and of lists."""
    if kind.kind != "list" or kind.element is None:
        return _JAVA.get(kind.kind, kind.kind)
    if returned and (kind.element.kind in ("list", "str")):
        return f"List<{_java_box(kind.element)}>"
    return java_type(kind.element) + "[]"


def _java_box(kind: ValueType) -> str:
    if kind.kind == "list" and kind.element is not None:
        return f"List<{_java_box(kind.element)}>"
    return _JAVA_BOXES.get(kind.kind, kind.kind)


def cpp_type(kind: ValueType) -> str:
    """By value; parameters that are vectors are taken by reference."""
    if kind.kind == "list" and kind.element is not None:
        return f"vector<{cpp_type(kind.element)}>"
    return _CPP.get(kind.kind, f"{kind.kind}*")


def _java_starter(function: Method) -> str:
    parameters = ", ".join(f"{java_type(kind)} {name}" for name, kind in function.parameters)
    returns = java_type(function.returns, returned=True)
    return f"class Solution {{\n    public {returns} {function.name}({parameters}) {{\n"


def _cpp_starter(function: Method) -> str:
    parameters = ", ".join(
        f"{cpp_type(kind)}{'&' if kind.kind == 'list' else ''} {name}" for name, kind in function.parameters
    )
    return f"class Solution {{\npublic:\n    {cpp_type(function.returns)} {function.name}({parameters}) {{\n"


_STARTERS: dict[str, Callable[[Method], str]] = {"java": _java_starter, "cpp": _cpp_starter}
