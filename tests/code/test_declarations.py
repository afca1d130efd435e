"""Imports, headers and exceptions that code lacks, in all three languages."""

from __future__ import annotations

import pytest

from apps.code.compilers import compilation
from apps.code.declarations import with_declarations
from apps.code.python_imports import undefined_names
from apps.code.sandbox import Sandbox
from tests.compilers import installed

PYTHON = """def newest(xs: List[int]) -> Optional[str]:
    if not xs:
        raise NothingError("empty")
    seen = Counter(xs)
    return json.dumps(datetime.now().isoformat()) + os.path.join("a", "b") + str(sqrt(len(seen)))
"""
JAVA = """/** Licence. */
package a.b;

public class Account {
    private final Map<String, List<Integer>> all = new HashMap<>();
    void pay(int n) throws IOException {
        if (n > all.size()) throw new TooLittleException("no", new IllegalStateException());
        Files.readAllLines(Path.of("x")).forEach(System.out::println);
        java.util.Set<Integer> kept = new java.util.TreeSet<>();
    }
}
"""
CPP = """#include <iostream>
using namespace std;

// Pays.
void pay(double x) { if (x > 1) throw TooLittle("no"); if (x < 0) throw invalid_argument("y"); }
"""


def test_python_gets_the_imports_of_names_that_nothing_binds() -> None:
    whole = with_declarations(PYTHON, "python")
    assert whole.endswith(PYTHON)
    assert whole[: -len(PYTHON)].splitlines() == [
        "import json",
        "import os",
        "from collections import Counter",
        "from datetime import datetime",
        "from math import sqrt",
        "from typing import List, Optional",
        "",
        "",
        "class NothingError(Exception):",
        "    pass",
        "",
        "",
    ]
    assert with_declarations(whole, "python") == whole
    assert undefined_names(whole) is None


@pytest.mark.parametrize(
    "code",
    [
        "",
        "def f(xs):\n    return sorted(xs)\n",
        "import numpy as np\n\n\ndef f():\n    return np.zeros(3)\n",
        "from tkinter import *\n\nroot = Tk()\n",
        "def f(n):\n    for count in range(n):\n        pass\n    return count\n",
        "def f():\n    return total\n",  # a variable that was forgotten: no module's
        "def f(:\n",
    ],
)
def test_python_that_lacks_nothing_that_is_known_stays_as_it_is(code: str) -> None:
    assert with_declarations(code, "python") == code


def test_imports_stand_behind_those_that_are_there() -> None:
    code = '"""Doc."""\nfrom __future__ import annotations\n\nx = re.compile("a")\n'
    assert with_declarations(code, "python").splitlines()[1:3] == [
        "from __future__ import annotations",
        "import re",
    ]


def test_names_that_nothing_defines_are_told() -> None:
    assert undefined_names("class A:\n    def f(self):\n        return Node(1)\n") == (
        "it uses Node, which nothing defines"
    )
    assert undefined_names("try:\n    text = unicode\nexcept NameError:\n    text = str\n") is None


def test_java_gets_imports_and_the_exceptions_that_it_throws(sandbox: Sandbox) -> None:
    installed("java", sandbox)
    assert compilation(JAVA, "java", True, sandbox).passed is False
    whole = with_declarations(JAVA, "java")
    assert compilation(whole, "java", True, sandbox).passed
    assert whole.startswith("/** Licence. */\npackage a.b;\n\nimport java.io.IOException;\n")
    assert "import java.util.Set;" not in whole  # it is named in full
    assert with_declarations(whole, "java") == whole


@pytest.mark.parametrize(
    "code",
    [
        "import java.util.*;\nclass A { List<String> xs = new ArrayList<>(); }\n",
        "class List<T> {}\nclass A { List<String> xs; }\n",
        "import com.example.Date;\nclass A { Date d; }\n",
        "class A { int f(Integer x) { return Math.max(x, 1); } }\n",
        "class A { <Stream> Stream f(Stream x) { return x; } }\n",
    ],
)
def test_java_that_lacks_nothing_stays_as_it_is(code: str) -> None:
    assert with_declarations(code, "java") == code


def test_java_functions_without_a_class_get_one(sandbox: Sandbox) -> None:
    installed("java", sandbox)
    code = (
        "// One.\npublic int one(List<Integer> xs) {\n    return two(xs);\n}\n\n"
        "int two(List<Integer> xs) { return 2; }\n"
    )
    whole = with_declarations(code, "java")
    assert compilation(whole, "java", True, sandbox).passed
    assert "public class Program {\n    // One.\n    public static int one(" in whole
    assert with_declarations(whole, "java") == whole
    newer = "void main() { System.out.println(1); }\n"
    assert with_declarations(newer, "java") == newer


def test_cpp_gets_the_exceptions_that_it_throws(sandbox: Sandbox) -> None:
    installed("cpp", sandbox)
    whole = with_declarations(CPP, "cpp")
    assert compilation(whole, "cpp", True, sandbox).passed
    assert "struct TooLittle : std::runtime_error" in whole
    assert whole.index("struct TooLittle") < whole.index("// Pays.")
    assert with_declarations(whole, "cpp") == whole
