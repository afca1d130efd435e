"""Python's tests see the candidate as if it were in their own program."""

from __future__ import annotations

import pytest

from apps.code.sandbox import Limits, Sandbox
from evaluation.apart import ASSERTED, run_apart

NODES = (
    "class ListNode:\n    def __init__(self, val=0, next=None):\n        self.val, self.next = val, next\n\n"
    "def listed(node):\n    return [node.val] + listed(node.next) if node else []\n\n"
)
CASES = {
    "values of all kinds": (
        "",
        "def same(x):\n    return x\n",
        "for x in (None, True, -1, 10**5000, 0.5, float('inf'), 'a\\n\\ud800', b'\\xff', 1j, (1, (2,)), {1, 2},\n"
        "          frozenset([(1, 2)]), {'a': [1], (1, 2): {3: None}}, [[[]]]):\n"
        "    assert same(x) == x and type(same(x)) is type(x), x\n",
    ),
    "an argument that is changed": (
        "",
        "def fill(xs, seen, named):\n    xs.sort()\n    seen.add(1)\n    named['a'] = [2]\n",
        "xs, seen, named = [3, 1], set(), {}\nassert fill(xs, seen, named) is None\n"
        "assert (xs, seen, named) == ([1, 3], {1}, {'a': [2]})\n",
    ),
    "an error that is expected": (
        "",
        "def f(x):\n    raise KeyError(x)\n",
        "try:\n    f(1)\nexcept KeyError:\n    pass\nelse:\n    assert False\n",
    ),
    "other functions, classes and generators": (
        "",
        "def helper(x):\n    return x + 1\n\nclass Box:\n    def __init__(self, x):\n        self.x = x\n"
        "    def get(self, *, by=1):\n        return self.x * by\n\ndef numbers(n):\n    yield from range(n)\n",
        "assert helper(1) == 2\nassert Box(3).get(by=2) == 6\nassert Box(3).x == 3\n"
        "assert list(numbers(3)) == [0, 1, 2]\n",
    ),
    "objects of a class that both know": (
        NODES,
        "def back(node):\n    before = None\n    while node:\n"
        "        node.next, before, node = before, node, node.next\n"
        "    return before\n",
        "assert listed(back(ListNode(1, ListNode(2, ListNode(3))))) == [3, 2, 1]\nassert back(None) is None\n",
    ),
    "a list that is deep, and one that holds itself": (
        "",
        "def wrap(x):\n    for _ in range(3000):\n        x = [x]\n    return x\n\n"
        "def ring():\n    x = []\n    x.append(x)\n    return x\n",
        "found = wrap(7)\nfor _ in range(3000):\n    found, = found\nassert found == 7\nx = ring()\nassert x[0] is x\n",
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_what_goes_between_them_is_as_in_one_program(name: str, sandbox: Sandbox) -> None:
    before, code, after = CASES[name]
    runs = run_apart(before, code, after, "f", sandbox, Limits())
    assert runs.tests.ok, runs
    assert runs.candidate.ok, runs


def test_the_candidate_cannot_read_its_tests(sandbox: Sandbox) -> None:
    code = (
        "import glob\n\ndef f():\n    return [path for path in glob.glob('/sandbox/*') + glob.glob('/tmp/**')\n"
        "            if 'the right ' + 'answer' in open(path, errors='replace').read()]\n"
    )
    runs = run_apart("", code, "x = 'the right answer'\nassert f() == [], f()\n", "f", sandbox, Limits())
    assert runs.tests.ok, runs


def test_a_failed_check_is_told_apart_from_an_error(sandbox: Sandbox) -> None:
    code = "def f(x):\n    return 1 // x\n"
    assert run_apart("", code, "assert f(1) == 2\n", "f", sandbox, Limits()).tests.exit_code == ASSERTED
    error = run_apart("", code, "assert f(0) == 2\n", "f", sandbox, Limits()).tests
    assert error.exit_code == 1
    assert error.reason == "exit 1: ZeroDivisionError: integer division or modulo by zero"
