"""What is read out of a task: functions, examples, values; and inputs made from types."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.code.examples import called_name, find_examples, read_value
from apps.code.sample_inputs import changed_inputs, inputs_like, made_up_inputs, sample_inputs
from apps.code.signatures import Signature, ValueType, signature_of, signatures, type_from

ADD = Signature("add", (("a", None), ("b", None)))
ONE = Signature("f", (("x", None),))


@pytest.mark.parametrize(
    ("task", "arguments", "expected"),
    [
        ("add two numbers, add(2, 3) == 5", (2, 3), 5),
        (">>> add(2, 3)\n5\n", (2, 3), 5),
        ('    """ Adds.\n    >>> add("a", "b")\n    \'ab\'\n    """', ("a", "b"), "ab"),
        ("assert add([1], [2]) == [1, 2]", ([1], [2]), [1, 2]),
        ("add(1, 2) ➞ 3", (1, 2), 3),
        ("add(1, 2) ==> 3\nadd is nice", (1, 2), 3),
        ("add(1, 2) should return 3.", (1, 2), 3),
        ('add("x", "")   # returns "x"', ("x", ""), "x"),
        ("Input: a = 1, b = -2\nOutput: -1\nExplanation: 1 - 2", (1, -2), -1),
        ("Example 1:\n\n  Input: [1, 2], [3]\n  Output: [1, 2, 3]", ([1, 2], [3]), [1, 2, 3]),
        ("For a = [1], b = 2 the output should be 3", ([1], 2), 3),
        ("For a = 5, b = 2, as they are added, the output should be 7", (5, 2), 7),
        (">>> add(Arrays.asList(1, 2), 3)\ntrue", ([1, 2], 3), True),
        (">>> add({1.5, 2}, vector<int>{})\n{3}", ([1.5, 2], []), [3]),
        (">>> add(Arrays.asList(1), 2).equals(Arrays.asList(1, 2))", ([1], 2), [1, 2]),
        (">>> add(1, 2)\nOptional[3]", (1, 2), 3),
        (">>> add(1, 2)\nOptional.empty", (1, 2), None),
        (">>> add(1, 2)\nOptional[abc]", (1, 2), "abc"),
        ("add(4, -1) -> 4 - 1 = 3", (4, -1), 3),
        ("Example:\nplus([1], [2]) ==> [1, 2]", ([1], [2]), [1, 2]),
        (">>> add(null, new int[]{4})\nnull", (None, [4]), None),
    ],
)
def test_an_example_is_found_in_many_ways_of_writing(task: str, arguments: Any, expected: Any) -> None:
    found = find_examples(task, ADD)
    assert [(example.arguments, example.expected) for example in found] == [(arguments, expected)]


@pytest.mark.parametrize(
    "task",
    [
        "def add(a, b):",
        "add(1) == 2",
        "add(1, n) == n + 1",
        "add(1, 2) == 2 + other(3)",
        "one(1, 2) == 3 and two(1, 2) == 4",
        "add(1, 2), which is nice",
        "Input: a = , b\nOutput:",
    ],
)
def test_what_is_no_example_is_not_taken_for_one(task: str) -> None:
    assert find_examples(task, ADD) == []


@pytest.mark.parametrize(
    "task",
    [
        "f(1)" + " " * 200_000 + "x",
        "Input: a" + "\n" * 200_000,
        "f(" * 100_000,
        "f(" + "[" * 200_000,
        "f(" + "Arrays.asList(" * 20_000,
        "f(1) == 1" + " - 1" * 50_000,
        "f(1) -> 1 - 1 = " * 10_000 + "x",
        "for a = [" * 30_000,
        "f(new ArrayList<" * 20_000,
        "f('" * 60_000 + "\\",
        "f(" + "9" * 100_000 + ") == x y",
    ],
    ids=lambda task: task[:16],
)
def test_a_task_made_to_be_slow_to_read_has_no_examples(task: str) -> None:
    """Each took minutes, or broke the recursion limit, when reading it took more than linear time."""
    assert find_examples(task, ADD) == []
    assert called_name(task) in (None, "f")


def test_an_example_may_hold_lists_in_lists_up_to_a_depth() -> None:
    assert find_examples(f"f({'[' * 40}1{']' * 40}) == 2", ONE)[0].expected == 2
    assert find_examples(f"f({'[' * 60}1{']' * 60}) == 2", ONE) == []


def test_inputs_and_outputs_may_stand_in_a_comment_with_stars() -> None:
    found = find_examples(" * Input: a = 1, b = 2\n * Output: 3\n * Input: a = 2, b = 2\n * Output: 4", ADD)
    assert [example.expected for example in found] == [3, 4]


def test_a_name_in_the_other_style_is_the_same_function() -> None:
    found = find_examples("hasItems(1, 2) == true", Signature("has_items", ADD.parameters))
    assert [example.expected for example in found] == [True]


def test_the_one_name_that_the_examples_call_is_told() -> None:
    assert called_name("The largest gap: gap([1, 5]) == 4 and gap([2]) == 0") == "gap"
    assert called_name("f([1]) == 1 and g([1]) == 1") is None
    assert called_name("No example at all, but gap(items) is mentioned") is None
    assert called_name("largestGap(1, 5) == 4; largest_gap(2, 2) == 0") == "largestGap"


def test_an_example_is_shown_as_the_user_wrote_it() -> None:
    assert find_examples("It holds that f( 2 )  ==  4.", ONE)[0].text == "f( 2 ) == 4"


@given(
    st.recursive(
        st.integers()
        | st.booleans()
        | st.none()
        | st.text(st.characters(codec="ascii", exclude_characters="\0\n\r")),
        lambda items: st.lists(items, max_size=4),
        max_leaves=12,
    )
)
def test_every_python_literal_reads_back_as_itself(value: Any) -> None:
    text = repr(value)
    if "\\x" not in text:
        assert read_value(text + " rest", 0) == (value, len(text))


@given(st.text(max_size=40))
def test_any_text_is_read_or_refused_but_never_crashes(text: str) -> None:
    assert isinstance(find_examples(f"add({text}) == {text}\nInput: {text}\nOutput: {text}", ADD), list)


@pytest.mark.parametrize(
    ("language", "code"),
    [
        ("python", "def pick(items: List[List[int]], name: str = '') -> bool:\n    return True\n"),
        ("java", "class S { public boolean pick(int[][] items, String name) { return true; } }"),
        ("cpp", "bool pick(const vector<vector<int>>& items, std::string name) { return true; }"),
    ],
)
def test_a_function_has_one_signature_in_all_languages(language: str, code: str) -> None:
    numbers = ValueType("list", ValueType("list", ValueType("int")))
    parameters = (("items", numbers), ("name", ValueType("str")))
    assert signatures(code, language) == [Signature("pick", parameters, ValueType("bool"))]


def test_without_a_name_the_last_function_but_main_is_meant() -> None:
    code = "int one() { return 1; }\nint two() { return 2; }\nint main() { return 0; }\n"
    found = signature_of(code, "cpp")
    assert found is not None
    assert found.name == "two"


@pytest.mark.parametrize("text", ["Map<String, Integer>", "Callable[[int], int]", "T", ""])
def test_a_type_without_a_counterpart_is_none(text: str) -> None:
    assert type_from(text) is None


def test_inputs_fit_the_types_and_are_the_same_each_time() -> None:
    function = Signature("f", (("xs", ValueType("list", ValueType("int"))), ("s", ValueType("str"))))
    inputs = sample_inputs(function)
    assert len(inputs) >= 10
    assert all(isinstance(xs, list) and isinstance(s, str) for xs, s in inputs)
    assert inputs == sample_inputs(function)
    assert sample_inputs(ADD) == []


@given(st.lists(st.tuples(st.lists(st.integers()), st.text(), st.integers()), min_size=1, max_size=4))
def test_changed_inputs_keep_their_types(examples: list[tuple[list[int], str, int]]) -> None:
    changed = changed_inputs(examples)
    assert len(changed) == 12
    for xs, text, number in changed:
        assert isinstance(xs, list)
        assert all(isinstance(x, int) for x in xs)
        assert isinstance(text, str)
        assert isinstance(number, int)


def test_made_up_inputs_are_none_of_the_examples() -> None:
    function = Signature("f", (("s", ValueType("str")),))
    made_up = made_up_inputs(function, [("IX",), ("a",)])
    assert len(made_up) > 15
    assert ("IX",) not in made_up
    assert ("a",) not in made_up
    assert {("XI",), ("I",), ("X",), ("IIX",), ("IXX",)} & set(made_up)
    assert made_up_inputs(Signature("g", (("x", None),)), []) == []


def test_inputs_are_made_like_those_of_an_example() -> None:
    assert all(isinstance(x, float) for (x,) in inputs_like([(1.5,)]))
    assert inputs_like([([1, "a"],)]) == []
