"""Java as people have it in files: its functions are called whatever stands around them."""

from __future__ import annotations

import pytest

from apps.code.checking import call, check
from apps.code.definitions import definitions
from apps.code.java_units import java_unit
from apps.code.sandbox import Sandbox
from apps.code.signatures import signature_of
from apps.code.toolchains import toolchain
from tests.compilers import installed

GCD = "static int gcd(int a, int b) { return b == 0 ? a : gcd(b, a % b); }"
FILES = {
    "with header, package and Main": f"""/*
 * Copyright 2024 Example Ltd.
 */
package com.example.util;

import java.util.List;

public class Main {{
    public {GCD}
    static public void main(String[] args) {{ System.out.println(gcd(12, 18)); }}
}}
""",
    "Main alone": f"public class Main {{ public {GCD} public static void main(String[] a) {{ System.exit(1); }} }}",
    "a sealed interface": f"""public sealed interface Shape permits Circle {{}}
record Circle(double r) implements Shape {{}}
final class Tool {{ {GCD} }}
""",
    "imports and a node of its own": f"""import java.util.*;
class ListNode {{ int val; ListNode next; ListNode(int v) {{ val = v; }} }}
class Tool {{ List<ListNode> kept = new ArrayList<>(); {GCD} }}
""",
    "imports and a node that is given": f"""import java.util.*;
class Tool {{ int sum(ListNode head) {{ return head == null ? 0 : head.val; }} {GCD} }}
""",
    "a nested class": f"public class S {{ class Inner {{}} public {GCD} public static void main(String[] a) {{}} }}",
    "functions in a nested class": f"public class S {{ static class Inner {{ {GCD} }} }}",
    "an interface's function": f"public interface Tool {{ {GCD} }}",
    "an enum's function": f"public enum Tool {{ ONE, TWO; {GCD} }}",
    "a class in a comment": f"""/*
public class Example
*/
class Tool {{ {GCD} }}
""",
    "annotations before public": f"@Deprecated public class Tool {{ {GCD} }}",
}


@pytest.fixture
def java(sandbox: Sandbox) -> Sandbox:
    installed("java", sandbox)
    return sandbox


@pytest.mark.parametrize("name", FILES)
def test_a_function_is_called_whatever_stands_around_it(name: str, java: Sandbox) -> None:
    code = FILES[name]
    calls = call(code, "java", signature_of(code, "java", "gcd"), [(12, 18), (7, 0)], java)  # type: ignore[arg-type]
    assert calls.failure is None
    assert [result.value for result in calls.results] == [6, 7]


def test_whole_files_run_also_with_a_package(java: Sandbox) -> None:
    with toolchain("java", java).build(FILES["with header, package and Main"]) as program:
        assert program.compiled
        assert program.run().stdout == "6\n"


def test_the_class_that_begins_is_found_by_its_main_and_not_by_words() -> None:
    assert (
        java_unit(
            "// public class No\nclass A {} class B { final static void main(String... a) {} }"
        ).main_class
        == "B"
    )
    assert java_unit('class A { String s = "class Main { static void main() {} }"; }').file_name == "Main"
    nested = java_unit(
        "package a.b; public class C { static class D { public static void main(String[] x) {} } }"
    )
    assert (nested.file_name, nested.main_class, nested.types) == ("C", "a.b.C$D", ("C", "C$D"))


def test_definitions_lose_package_and_public_in_any_order_of_modifiers() -> None:
    code = "// A\npackage a;\nabstract public class B {}\npublic sealed interface C permits D {}\n"
    words = definitions(code, "java").split()
    assert " ".join(words) == "// A abstract class B {} sealed interface C permits D {}"


LISTS = {
    "declared as people do": "struct ListNode {\n    int val;\n    ListNode* next;\n"
    "    ListNode(int x) : val(x), next(nullptr) {}\n};\n",
    "without a constructor": "struct ListNode { int val; struct ListNode *next; };\n",
    "a class with a default": "class ListNode {\npublic:\n    int val = 0;\n    ListNode* next = nullptr;\n};\n",
    "not declared": "",
}


@pytest.mark.parametrize("name", LISTS)
def test_cpp_nodes_are_the_codes_own_or_ours(name: str, sandbox: Sandbox) -> None:
    installed("cpp", sandbox)
    code = (
        f"#include <iostream>\nusing namespace std;\n{LISTS[name]}ListNode* back(ListNode* head) {{\n"
        "    ListNode* before = nullptr;\n    while (head) { auto* next = head->next; head->next = before; "
        "before = head; head = next; }\n    return before;\n}\nint main() { cout << 1; }\n"
    )
    function = signature_of(code, "cpp", "back")
    verdict = check(code, "cpp", function, [], sandbox, made_up=[([1, 2, 3],), ([],)])
    assert verdict.problem is None
    assert [result.value for result in verdict.made_up.values()] == [[3, 2, 1], []]
