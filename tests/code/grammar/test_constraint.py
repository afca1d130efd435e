"""The constraint on tokens: what the engine is promised."""

from __future__ import annotations

import ast
import random
from collections import Counter
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from apps.code.grammar import (
    BlockConstraint,
    FencedConstraint,
    GrammarConstraint,
    PrefixNotViableError,
    UnknownLanguageError,
)
from core_model.constraint import Constraint
from core_model.requests import SamplingParams
from core_model.sampling import draw

from .conftest import PROGRAMS, SmallVocabulary

LANGUAGES = ("python", "java", "cpp", "json")
quick = settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


def feed(
    constraint: BlockConstraint | GrammarConstraint | FencedConstraint, text: str, vocabulary: SmallVocabulary
) -> None:
    for token in vocabulary.encode(text):
        constraint.accept(token)


def walk(
    constraint: GrammarConstraint, vocabulary: SmallVocabulary, rng: random.Random, steps: int
) -> list[int]:
    """Random tokens, each where it is allowed; mostly the program's own pieces are reached through short words."""
    taken: list[int] = []
    for _ in range(steps):
        order = rng.sample(range(vocabulary.vocab), vocabulary.vocab)
        token = constraint.first_allowed(order)
        assert token is not None or constraint.may_end()
        if token is None:
            break
        constraint.accept(token)
        taken.append(token)
    return taken


def test_it_is_the_engines_constraint(vocabulary: SmallVocabulary) -> None:
    assert isinstance(GrammarConstraint("python", vocabulary), Constraint)
    assert isinstance(FencedConstraint(vocabulary), Constraint)


@pytest.mark.parametrize("name", LANGUAGES)
def test_whole_programs_pass_byte_by_byte(name: str, vocabulary: SmallVocabulary) -> None:
    constraint = GrammarConstraint(name, vocabulary)
    feed(constraint, PROGRAMS[name], vocabulary)
    assert constraint.may_end()
    assert constraint.closing() == []


@pytest.mark.parametrize("name", LANGUAGES)
@given(seed=st.integers(0, 2**32))
@quick
def test_what_was_accepted_can_be_completed(
    name: str, vocabulary: SmallVocabulary, parses: Callable[[str, str], bool], seed: int
) -> None:
    rng = random.Random(seed)
    constraint = GrammarConstraint(name, vocabulary)
    start = PROGRAMS[name].encode()[: rng.randrange(len(PROGRAMS[name]))]
    for token in start:
        constraint.accept(token)
    taken = [*start, *walk(constraint, vocabulary, rng, 12)]
    text = vocabulary.text(taken + constraint.closing())
    assert parses(name, text)


@pytest.mark.parametrize("name", LANGUAGES)
@given(seed=st.integers(0, 2**32))
@quick
def test_a_fork_knows_nothing_of_its_origin_and_the_other_way_round(
    name: str, vocabulary: SmallVocabulary, seed: int
) -> None:
    rng = random.Random(seed)
    cut = rng.randrange(len(PROGRAMS[name].encode()))
    origin = GrammarConstraint(name, vocabulary)
    untouched = GrammarConstraint(name, vocabulary)
    for token in PROGRAMS[name].encode()[:cut]:
        origin.accept(token)
        untouched.accept(token)
    fork = origin.fork()
    walk(fork, vocabulary, rng, 8)
    for token in range(vocabulary.vocab):
        assert origin.allows(token) == untouched.allows(token)
    assert origin.may_end() == untouched.may_end()
    assert origin.closing() == untouched.closing()


@given(text=st.text(min_size=1, max_size=8), cut=st.integers(0, 40))
@quick
def test_a_split_character_is_allowed_exactly_where_a_whole_one_is(
    text: str, cut: int, vocabulary: SmallVocabulary
) -> None:
    data = text.encode(errors="ignore")
    prefix = 'x = """'
    whole = GrammarConstraint("python", vocabulary, prefix)
    allowed = whole._condition.advance(whole._condition.start, data.decode()) is not None
    split = GrammarConstraint("python", vocabulary, prefix)
    passed = True
    for byte in data:
        if not split.allows(byte):
            passed = False
            break
        split.accept(byte)
    assert passed == allowed


def test_a_partial_character_is_refused_where_no_character_fits(vocabulary: SmallVocabulary) -> None:
    constraint = GrammarConstraint("json", vocabulary, "[1, ")
    assert not any(constraint.allows(byte) for byte in range(0x80, 0x100))
    inside = GrammarConstraint("json", vocabulary, '["')
    assert inside.allows("中".encode()[0])
    inside.accept("中".encode()[0])
    assert not inside.may_end()
    closing = inside.closing()
    assert vocabulary.text(["中".encode()[0], *closing]).endswith('"]')


@pytest.mark.parametrize("name", LANGUAGES)
def test_the_first_allowed_token_is_the_one_that_asking_each_finds(
    name: str, vocabulary: SmallVocabulary
) -> None:
    rng = random.Random(3)
    for _ in range(20):
        cut = rng.randrange(len(PROGRAMS[name].encode()))
        constraint = GrammarConstraint(name, vocabulary)
        for token in PROGRAMS[name].encode()[:cut]:
            constraint.accept(token)
        order = rng.sample(range(vocabulary.vocab), vocabulary.vocab)
        expected = next((token for token in order if constraint.allows(token)), None)
        assert constraint.first_allowed(order) == expected


def test_sampling_draws_from_the_masked_renormalised_distribution() -> None:
    words = SmallVocabulary(["true", "false", "null", "1", "]", "{", ":", "x"])
    constraint = GrammarConstraint("json", words, "[")
    rng = np.random.default_rng(5)
    logits = rng.normal(size=words.vocab).astype(np.float32) * 2
    allowed = [token for token in range(words.vocab) if constraint.allows(token)]
    probabilities = np.exp(logits[allowed] / 0.7)
    probabilities /= probabilities.sum()
    draws = 6000
    seen = Counter(
        draw(
            logits, SamplingParams(temperature=0.7), rng, seen=[], end_ids=frozenset(), constraint=constraint
        )
        for _ in range(draws)
    )
    assert set(seen) <= set(allowed)
    expected = probabilities * draws
    counts = np.array([seen[token] for token in allowed])
    likely = expected >= 5
    chi2 = float(((counts - expected)[likely] ** 2 / expected[likely]).sum())
    degrees = int(likely.sum())
    assert chi2 < degrees + 4 * np.sqrt(2 * degrees)


def test_greedy_takes_the_best_allowed_token() -> None:
    words = SmallVocabulary(["true"])
    constraint = GrammarConstraint("json", words, "[1")
    logits = np.arange(words.vocab, dtype=np.float32)
    best = max(token for token in range(words.vocab) if constraint.allows(token))
    token = draw(
        logits,
        SamplingParams(temperature=0),
        np.random.default_rng(),
        seen=[],
        end_ids=frozenset(),
        constraint=constraint,
    )
    assert token == best


def test_a_refused_token_cannot_be_accepted(vocabulary: SmallVocabulary) -> None:
    with pytest.raises(ValueError, match="not allowed"):
        GrammarConstraint("json", vocabulary, "[1").accept(ord("x"))


def test_python_blocks_are_closed_with_pass(vocabulary: SmallVocabulary) -> None:
    constraint = GrammarConstraint("python", vocabulary, "def f(x):\n    for a in b")
    text = "def f(x):\n    for a in b" + vocabulary.text(constraint.closing())
    ast.parse(text)
    assert "pass" in text


@pytest.mark.parametrize("start", ["#include <v>\\\n\n", "#include A\\\n \n"])
def test_a_directive_goes_on_after_a_backslash(
    vocabulary: SmallVocabulary, parses: Callable[[str, str], bool], start: str
) -> None:
    constraint = GrammarConstraint("cpp", vocabulary)
    feed(constraint, start, vocabulary)
    assert not constraint.may_end()
    assert parses("cpp", start + vocabulary.text(constraint.closing()))


def test_the_insertion_ends_only_where_the_whole_is_a_program(vocabulary: SmallVocabulary) -> None:
    constraint = GrammarConstraint("java", vocabulary, "class A { int x = ", "; int y;\n}\n")
    assert not constraint.may_end()
    feed(constraint, "a + ", vocabulary)
    assert not constraint.may_end()
    feed(constraint, "1", vocabulary)
    assert constraint.may_end()


@pytest.mark.parametrize(
    ("name", "prefix", "typed", "suffix"),
    [
        ("python", "def f(a):\n    return ", "(a + ", "\n\nprint(f(1))\n"),
        ("python", "def f(a):\n    ", "for x in a:\n", "\n\nprint(f(1))\n"),
        ("java", "class A { int f() { ", "if (x < ", " return 1; } }"),
        ("cpp", "int main() { f(a, ", "g(", ", b); }"),
    ],
)
def test_the_shortest_insertion_joins_prefix_and_suffix(
    name: str,
    prefix: str,
    typed: str,
    suffix: str,
    vocabulary: SmallVocabulary,
    parses: Callable[[str, str], bool],
) -> None:
    constraint = GrammarConstraint(name, vocabulary, prefix, suffix)
    feed(constraint, typed, vocabulary)
    closing = vocabulary.text(constraint.closing())
    assert closing
    assert parses(name, prefix + typed + closing + suffix)


def test_where_nothing_joins_the_last_place_that_did_is_known(vocabulary: SmallVocabulary) -> None:
    constraint = GrammarConstraint("java", vocabulary, "class A { int x = f(1", "); }")
    feed(constraint, ", 2); int y = (", vocabulary)
    assert not constraint.may_end()
    assert constraint.longest_complete() == len(", 2")


def test_a_prefix_that_begins_no_program_is_said_so(vocabulary: SmallVocabulary) -> None:
    with pytest.raises(PrefixNotViableError, match="java"):
        GrammarConstraint("java", vocabulary, "class } ")


def test_a_prefix_in_an_older_dialect_is_taken_without_strict_rules(vocabulary: SmallVocabulary) -> None:
    assert GrammarConstraint("python", vocabulary, 'print "a"\n').may_end()


def test_an_unknown_language_is_named_with_the_known_ones(vocabulary: SmallVocabulary) -> None:
    with pytest.raises(UnknownLanguageError, match="python, java, cpp"):
        GrammarConstraint("cobol", vocabulary)


def test_prose_is_free_and_fenced_code_is_not(vocabulary: SmallVocabulary) -> None:
    constraint = FencedConstraint(vocabulary)
    feed(constraint, "So }{ do ``this``:\n```python\n", vocabulary)
    assert not constraint.may_end()
    assert not constraint.allows(ord("}"))
    feed(constraint, "def f():\n", vocabulary)
    assert vocabulary.text(constraint.closing()).endswith("pass\n```")
    feed(constraint, "    return 1\n```\nDone }{.\n```\nfree }{ \n```\n", vocabulary)
    assert constraint.may_end()


def test_a_fence_cannot_close_on_half_a_program(vocabulary: SmallVocabulary) -> None:
    constraint = FencedConstraint(vocabulary)
    feed(constraint, "```java\nclass A {\n", vocabulary)
    assert not constraint.allows(ord("`"))
    feed(constraint, "}\n``", vocabulary)
    assert constraint.allows(ord("`"))
    assert vocabulary.text(constraint.closing()) == "`"


def test_each_of_several_fences_is_a_program_of_its_own(vocabulary: SmallVocabulary) -> None:
    constraint = FencedConstraint(vocabulary)
    feed(constraint, "First:\n```py\nx = [1]\n```\nthen } {\n```Java title=A\nclass A {", vocabulary)
    assert vocabulary.text(constraint.closing()) == "}\n```"
    feed(constraint, "}\n```\n````c++\nint x;\n```", vocabulary)
    assert not constraint.may_end()
    feed(constraint, "`\n", vocabulary)
    assert constraint.may_end()


def test_tildes_fence_as_backticks_do(vocabulary: SmallVocabulary) -> None:
    constraint = FencedConstraint(vocabulary)
    feed(constraint, "~~~cpp `a`\nint x = 1\n", vocabulary)
    assert not constraint.allows(ord("~"))
    assert vocabulary.text(constraint.closing()).endswith("~~~")
    feed(constraint, "\n;\nint y = ~x;\n", vocabulary)
    feed(constraint, "~~~\n}{ ~~~\n~~~\n```\n}\n~~~\n```c++\n", vocabulary)
    assert not constraint.allows(ord("}"))


def test_a_block_is_a_program_and_nothing_follows_its_end(vocabulary: SmallVocabulary) -> None:
    constraint = BlockConstraint("java", vocabulary, "class A {\n")
    assert not constraint.allows(ord("`"))
    assert vocabulary.text(constraint.closing()) == "}"
    feed(constraint, "}", vocabulary)
    assert constraint.may_end()
    feed(constraint, "\n``", vocabulary)
    assert not constraint.may_end()
    assert vocabulary.text(constraint.closing()) == "`"
    feed(constraint, "`", vocabulary)
    assert constraint.may_end()
    assert not any(constraint.allows(token) for token in range(vocabulary.vocab))


def test_the_first_line_of_a_block_is_not_its_end(vocabulary: SmallVocabulary) -> None:
    assert not BlockConstraint("python", vocabulary).allows(ord("`"))
    assert not BlockConstraint("python", vocabulary, "x = 1\n").allows(ord("`"))


def test_backticks_inside_a_string_do_not_end_a_block(vocabulary: SmallVocabulary) -> None:
    constraint = BlockConstraint("python", vocabulary)
    feed(constraint, 'x = """\n`a`\n``', vocabulary)
    assert not constraint.may_end()
    assert vocabulary.text(constraint.closing()) == '"""'
    assert not constraint.allows(ord("`"))


def test_a_model_with_more_logits_than_its_tokenizer_has_tokens_is_searched_too(
    vocabulary: SmallVocabulary,
) -> None:
    constraint = GrammarConstraint("json", vocabulary, "[1")
    assert constraint.first_allowed([vocabulary.vocab + 7, ord("]")]) == ord("]")


def test_code_of_an_unknown_language_is_free(vocabulary: SmallVocabulary) -> None:
    constraint = FencedConstraint(vocabulary)
    feed(constraint, "```brainfuck\n}{ ][\n```\n```c++\nint x", vocabulary)
    assert not constraint.allows(ord("}"))
    assert vocabulary.text(constraint.closing()) == ";\n```"


DEEP = {
    "java": ["class A{int x = " + "(" * 4000, "class A{List" + "<List" * 4000],
    "python": ["x = " + "(" * 4000, "x = " + "f'{" * 1000],
    "cpp": ["int x = " + "(a)" * 4000, "x = a" + "<a" * 4000, "int x = " + "(a)(" * 1000],
}


@pytest.mark.parametrize(("language", "prefix"), [(name, text) for name in DEEP for text in DEEP[name]])
def test_what_is_nested_too_deeply_ends_as_it_is(
    language: str, prefix: str, vocabulary: SmallVocabulary
) -> None:
    """It once took half a minute, or broke the recursion limit. No completion is known: the caller is told so."""
    try:
        constraint = GrammarConstraint(language, vocabulary, prefix, ")" * 100)
    except PrefixNotViableError:
        return  # not even reading it is worth while
    assert constraint.closing() == []
    assert not constraint.may_end()
    assert constraint.longest_complete() is None


@pytest.mark.parametrize(
    ("language", "prefix"), [("java", "class A{int x = "), ("cpp", "int x = "), ("python", "")]
)
def test_what_is_nested_less_is_closed(language: str, prefix: str, vocabulary: SmallVocabulary) -> None:
    constraint = GrammarConstraint(language, vocabulary, prefix + "(" * 200)
    closing = b"".join(map(vocabulary.token_bytes, constraint.closing())).decode()
    assert closing.count(")") == 200
    for token in constraint.closing():
        constraint.accept(token)
    assert constraint.may_end()
