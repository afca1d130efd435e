"""The data's own solutions, broken or cheating: no benchmark may let one of them pass."""

from __future__ import annotations

from tree_sitter import Node

from apps.code.signatures import function_nodes, plain_name, signature_at
from evaluation.cheats import CHEATS, CPP_HEADERS
from evaluation.errors import DataError
from evaluation.problems import Generated, Problem, reference_solution

KINDS = ("wrong", "crash", "syntax", "exit", "exit_at_once", "exit_later", "forged")
"""What is done at the start of the function that the tests call: the empty value of its type is returned, an exception
is thrown, a bracket is closed that was never opened, or the tests are cheated (cheats.py)."""
_CRASHES = {
    "python": "raise RuntimeError",
    "java": "if (true) throw new RuntimeException();",
    "cpp": "throw 1;",
}
_JAVA_EMPTY = {"boolean": "false"} | dict.fromkeys(
    ("byte", "short", "int", "long", "char", "float", "double"), "0"
)


def broken_solution(problem: Problem, sample: int) -> Generated:
    """The reference solution, broken in the way that `sample` counts in KINDS. Raises DataError."""
    code = reference_solution(problem).code.encode()
    found = [
        node
        for node in function_nodes(code.decode(), problem.language)
        if plain_name(signature_at(node, problem.language).name) == plain_name(problem.entry_point)
        and node.child_by_field_name("body") is not None
    ]
    if not found:
        raise DataError(f"{problem.task_id}: its reference does not define {problem.entry_point}")
    for node in reversed(found):
        at = _start_of_body(node, problem.language)
        indent = b" " * (at - code.rfind(b"\n", 0, at) - 1)
        space = b"\n" + indent if problem.language == "python" else b" "
        damage = _damage(node, problem.language, KINDS[sample]).encode().replace(b"\n", b"\n" + indent)
        code = code[:at] + damage + space + code[at:]
    cheats = problem.language == "cpp" and KINDS[sample] in CHEATS["cpp"]
    headers = CPP_HEADERS if cheats else ""
    return Generated(headers + code.decode())


def _start_of_body(function: Node, language: str) -> int:
    body = function.child_by_field_name("body")
    assert body is not None
    return body.start_byte if language == "python" else body.start_byte + 1


def _damage(function: Node, language: str, kind: str) -> str:
    if kind == "syntax":
        return ")"
    if kind == "crash":
        return _CRASHES[language]
    if kind in CHEATS[language]:
        return CHEATS[language][kind]
    match language:
        case "python":
            return "return None"
        case "java":
            returns = function.child_by_field_name("type")
            name = (returns.text or b"").decode() if returns is not None else ""
            return f"if (true) return {_JAVA_EMPTY.get(name, 'null')};"  # else what follows is unreachable
        case _:
            return "return {};"
