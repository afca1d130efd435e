"""Names: in a language's habits, and those that a task wants."""

from __future__ import annotations

import pytest

from apps.code.named import names_in, names_wanted
from apps.code.naming import in_habits

JAVA = """class Box {
    private int max_size;
    static int count_all(int[] the_items, int new_) {
        int total = 0;
        for (int one_item : the_items) total += one_item;
        return other_code(total) + MAX_SIZE;
    }
    int get() { return this.max_size + Box.count_all(null, 1); }
}
"""
PYTHON = """class Box(Base):
    def keptOfBase(self, maxSize=0):
        theCount, otherOne = maxSize, 1
        self.lastOne = getOther(otherOne)
        return f"{theCount}" + Box().keptOfBase(maxSize=2)


def hasAny(items):
    return [eachOne for eachOne in items]
"""


def test_java_names_are_written_in_camel_case() -> None:
    code = in_habits(JAVA, "java")
    for name in ("int maxSize;", "countAll(int[] theItems, int new_)", "this.maxSize + Box.countAll"):
        assert name in code
    assert "other_code(total) + MAX_SIZE" in code  # somebody else's, and a constant
    assert in_habits(code, "java") == code


def test_python_names_are_written_in_snake_case() -> None:
    code = in_habits(PYTHON, "python")
    assert "the_count, other_one = max_size, 1" in code
    assert 'f"{the_count}" + Box().keptOfBase(max_size=2)' in code  # a method that may be the base's
    assert "self.last_one = getOther(other_one)" in code
    assert "def has_any(items)" in code


@pytest.mark.parametrize(
    ("code", "kept"),
    [
        ("def f(aB, a_b):\n    return aB + a_b\n", ""),  # the usual name is taken
        ("def hasAny(xs):\n    return xs\n", "def hasAny("),
        ("def f(newClass):\n    return newClass.isOpen\n", "newClass"),
    ],
)
def test_names_that_are_kept_or_taken_stay(code: str, kept: str) -> None:
    assert in_habits(code, "python", kept) == code


def test_cpp_has_both_habits() -> None:
    code = "int countAll(int the_items) { return the_items; }\n"
    assert in_habits(code, "cpp") == code


@pytest.mark.parametrize(
    ("task", "names"),
    [
        (
            "Write a class MinStack with push(x), pop(), top() and minimum().",
            ["push", "top", "minimum", "MinStack"],
        ),
        ("A PhoneBook class please: addContact(name)", ["addContact", "PhoneBook"]),
        ("Count the file(s) in O(n) without eval() or sort(), like std::sort(); a Java class", []),
        ("reverse a list", []),
    ],
)
def test_the_names_that_a_task_wants(task: str, names: list[str]) -> None:
    assert names_wanted(task) == names


def test_the_names_in_code_are_those_outside_of_its_texts() -> None:
    assert names_in("class A:\n    def f(self): return 'g'  # h\n", "python") == {"A", "f", "self"}
