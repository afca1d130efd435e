"""What the acceptor says about programs and their beginnings."""

from __future__ import annotations

import random
import re
import sysconfig
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from apps.code.grammar.errors import PrefixNotViableError
from apps.code.grammar.grammar import grammar
from apps.code.grammar.program import ProgramText

from .conftest import PROGRAMS

Verdict = Callable[[str, str], bool]


def viable(name: str, text: str, strict: bool = True) -> bool:
    try:
        ProgramText(grammar(name, strict), text)
    except PrefixNotViableError:
        return False
    return True


def complete(name: str, text: str, strict: bool = True) -> bool:
    try:
        program = ProgramText(grammar(name, strict), text)
    except PrefixNotViableError:
        return False
    return program.may_end(program.start)


@pytest.mark.parametrize("strict", [True, False])
@pytest.mark.parametrize("name", PROGRAMS)
def test_every_beginning_of_a_program_is_viable(name: str, strict: bool) -> None:
    program = ProgramText(grammar(name, strict))
    state = program.start
    for position, character in enumerate(PROGRAMS[name]):
        after = program.advance(state, character)
        assert after is not None, PROGRAMS[name][: position + 1]
        state = after
    assert program.may_end(state)


def test_the_standard_library_is_accepted(parses: Verdict) -> None:
    library = Path(sysconfig.get_path("stdlib"))
    for name in ("argparse.py", "textwrap.py", "dataclasses.py", "asyncio/tasks.py", "test/test_grammar.py"):
        file = library / name
        if not file.exists():
            continue
        text = file.read_text(encoding="utf-8")
        assert parses("python", text) == complete("python", text, strict=False)
        assert not parses("python", text) or complete("python", text), name


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("python", "x = 1e"),
        ("python", "x = 0x"),
        ("python", "x = a >"),
        ("python", "retur"),
        ("python", 'f"{a!'),
        ("python", "rb'"),
        ("python", "if x:\n"),
        ("java", "class A { int x = 1e"),
        ("java", "class A { List<List<A>"),
        ("java", "class A { char c = '"),
        ("java", "/* a"),
        ("cpp", "#inc"),
        ("cpp", 'R"x(a)'),
        ("cpp", "vector<vector<int>"),
        ("cpp", "#define A \\"),
        ("json", '{"a": tr'),
    ],
)
def test_half_a_token_is_viable(name: str, text: str) -> None:
    assert viable(name, text)
    assert not complete(name, text) or text == "retur"


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("python", "x = 1ee"),
        ("python", "x = a > >"),
        ("python", "def f(:"),
        ("python", "class 1"),
        ("python", "for 10 - a"),
        ("java", "class A } "),
        ("cpp", "int x = ;"),
        ("json", "{1"),
    ],
)
def test_what_no_program_begins_with_is_refused(name: str, text: str) -> None:
    assert not viable(name, text)


@pytest.mark.parametrize("name", PROGRAMS)
def test_damaged_programs_get_tree_sitters_own_verdict(name: str, parses: Verdict) -> None:
    rng = random.Random(7)
    pieces = re.findall(r" ?\w+|[^\w\s]|\s+", PROGRAMS[name])
    for _ in range(150):
        damaged = list(pieces)
        at = rng.randrange(len(damaged))
        kind = rng.randrange(4)
        if kind == 0:
            del damaged[at]
        elif kind == 1:
            damaged.insert(at, damaged[at])
        elif kind == 2:
            damaged[at] = rng.choice(pieces)
        else:
            damaged[at - 1], damaged[at] = damaged[at], damaged[at - 1]
        text = "".join(damaged)
        assert complete(name, text, strict=False) == parses(name, text), text


@pytest.mark.parametrize(
    ("name", "start", "unit", "count"),
    [
        ("cpp", "int x = ", "a<", 200),
        ("cpp", "int x = ", "(", 200),
        ("cpp", "void f() { ", "x(a(", 50),
        ("java", "class A { int x = ", "(", 200),
        ("java", "class A { int x = ", "a<", 200),
        ("python", "x = ", "(", 200),
        ("python", "", "x(a(", 50),
    ],
)
def test_deep_nesting_does_not_grow_dear(name: str, start: str, unit: str, count: int) -> None:
    program = ProgramText(grammar(name), start)
    state, slowest = program.start, 0.0
    for _ in range(count):
        started = time.thread_time()
        after = program.advance(state, unit)
        slowest = max(slowest, time.thread_time() - started)
        assert after is not None
        state = after
        program.tidy(state)
    assert slowest < 0.05


def test_a_language_without_external_scanner_is_a_line_and_a_file() -> None:
    assert complete("json", PROGRAMS["json"])
    assert not viable("json", '{"a": 1,}')
