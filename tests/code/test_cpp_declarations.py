"""Headers and declarations that C++ code lacks."""

from __future__ import annotations

import pytest

from apps.code.cpp_declarations import _C_NAMES, _NAMES, with_declarations, with_headers
from apps.code.sandbox import Sandbox
from tests.compilers import installed

START = "/* Distinct words */\n#include <vector>\nusing namespace std;\n\nint f(vector<string> words) {\n"


def test_what_the_body_uses_is_included_behind_the_includes_of_the_start() -> None:
    code = START + "    set<string> seen;\n    float most = FLT_MAX;\n    return seen.size();\n}\n"
    lines = with_headers(code).splitlines()
    assert lines[:5] == [
        "/* Distinct words */",
        "#include <vector>",
        "#include <cfloat>",
        "#include <set>",
        "#include <string>",
    ]
    assert "\n".join(line for line in lines if line not in lines[2:5]) + "\n" == code


@pytest.mark.parametrize(
    "code",
    [
        "#include <bits/stdc++.h>\nusing namespace std;\nset<int> s;\n",
        "#include <math.h>\ndouble f(double x) { return sqrt(x); }\n",
        "int gcd(int a, int b) { return b ? gcd(b, a % b) : a; }\nusing namespace std;\n",
        "struct set { int x; };\nset s;\n",
        "template <class T> class vector;\n",
        "#include <vector>\nusing namespace std;\nint f(vector<int>& list) { int count = 0; return list[count]; }\n",
        "vector<int> f();\n",  # no std, so somebody else's
        "",
    ],
)
def test_what_needs_no_header_stays_as_it_is(code: str) -> None:
    assert with_headers(code) == code


def test_a_qualified_name_is_the_standard_librarys() -> None:
    code = "int f(std::map<int, int> m, std::string s) { return std::accumulate(s.begin(), s.end(), 0); }\n"
    assert with_headers(code) == "#include <map>\n#include <numeric>\n#include <string>\n" + code
    assert with_headers(with_headers(code)) == with_headers(code)


HELPERS = (
    "#include <vector>\n\n/* Counts primes. */\nint primes(std::vector<int> xs) {\n    int n = 0;\n"
    "    for (int x : xs) n += is_prime(x);\n    return n;\n}\n\n"
    "bool is_prime(int x) {\n    return x > 1 && !divides(x);\n}\n\n"
    "static const int *none() { return 0; }\n\nbool divides(int x) { return x % 2 == 0; }\n"
)


def test_helpers_behind_their_use_are_declared_in_front_of_it(sandbox: Sandbox) -> None:
    whole = with_declarations(HELPERS)
    assert "\nbool is_prime(int x);\nbool divides(int x);\n\n/* Counts primes. */\nint primes(" in whole
    assert "none();" not in whole
    assert with_declarations(whole) == whole
    tool = installed("cpp", sandbox)
    assert not tool.check(HELPERS).ok
    assert tool.check(whole).ok


def test_what_is_declared_already_is_not_again() -> None:
    code = "int g(int);\nint f(int x) { return g(x); }\nint g(int x) { return x; }\n"
    assert with_declarations(code) == code


@pytest.mark.slow
@pytest.mark.parametrize("header", [*_NAMES, *_C_NAMES])
def test_each_name_stands_in_its_header(header: str, sandbox: Sandbox) -> None:
    names = (_NAMES | _C_NAMES)[header].split()
    functions = [name for name in names if not name.isupper() and name not in ("assert", "M_PI", "chrono")]
    macros = [name for name in names if name.isupper()]
    tool = installed("cpp", sandbox)
    lines = [f"#include <{header}>", *(f"using std::{name};" for name in functions)]
    lines += [f"auto value_{name} = {name};" for name in macros]
    run = tool.check("\n".join(lines) + "\n")
    assert run.ok, run.stderr
