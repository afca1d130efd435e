"""Long programs in parts, and the translations of the parts put together."""

from __future__ import annotations

import pytest

from apps.code.definitions import without_demonstration
from apps.code.long_translating import parts_if_long
from apps.code.parts import joined, parts_of
from apps.code.syntax import parses

PYTHON = '''"""Doc."""
import os


# A box.
class Box:
    """Its doc."""

    size = 3  # at first

    def first(self):
        return 1

    # the second
    def second(self):
        return 2


def third(x):
    return x


if __name__ == "__main__":
    print(third(1))
'''
JAVA = """package a;
import java.util.*;
/** A box. */
public class Box {
    private int n = 1; // at first

    /** The first. */
    int first() { return n; }

    int second() { return 2; }
}
enum Other { A }
"""
CPP = """#include <map>

class Box {
    int n = 1;

public:
    int first() { return n; }

    int second() { return n + 12345678; }
};

int third(int x) { return x; }
"""


@pytest.mark.parametrize(("code", "language"), [(PYTHON, "python"), (JAVA, "java"), (CPP, "cpp")])
def test_parts_parse_by_themselves_and_together_are_the_program(code: str, language: str) -> None:
    parts = parts_of(code, language, 60)
    assert len(parts) >= 3
    assert all(parses(part.code, language) for part in parts)
    assert {"Box"} < {name for part in parts for name in part.names}
    whole = joined([part.code for part in parts], language)
    assert parses(whole, language)
    words = [word for word in whole.split() if word not in ("public:",)]
    assert words == [word for word in _without_heads(code).split() if word != "public:"]


def _without_heads(code: str) -> str:
    heads = ("import ", "package ", "#include ")
    return "\n".join(line for line in code.splitlines() if not line.startswith(heads))


def test_imports_of_the_parts_stand_once_at_the_top() -> None:
    whole = joined(["import os\n\nx = os.sep\n", "import os\nimport re\n\ny = re.I\n"], "python")
    assert whole == "import os\nimport re\n\n\nx = os.sep\n\n\ny = re.I\n"


def test_classes_of_one_name_become_one_without_repetition() -> None:
    one = "public class Main {\n    static int n = 1;\n\n    static int f() { return n; }\n}\n"
    another = "public class Main {\n    static int n = 1;\n\n    static int g() { return f(); }\n}\n"
    whole = joined([one, another], "java")
    assert whole.count("class Main") == whole.count("static int n = 1;") == 1
    assert parses(whole, "java")
    assert "static int g()" in whole


def test_a_main_that_a_model_added_to_a_part_is_left_out() -> None:
    code = "class A {\n    int f() { return 1; }\n    public static void main(String[] a) { int f; }\n}\n"
    assert "main" not in without_demonstration(code, "java")
    assert "int f()" in without_demonstration(code, "java")
    assert without_demonstration("int f();\nint main() { return 0; }\n", "cpp").strip() == "int f();"


def test_the_members_behind_public_stay_public() -> None:
    parts = parts_of(CPP, "cpp", 60)
    second = next(part.code for part in parts if "second" in part.code)
    assert second.index("public:") < second.index("int second")


def test_a_program_that_fits_is_not_divided() -> None:
    assert parts_if_long(PYTHON, "python") is None
    long = "\n\n".join(f"def f{number}(x):\n    return x * {number}" for number in range(400))
    parts = parts_if_long(long, "python")
    assert parts is not None
    assert sum(len(part.names) for part in parts) == 400
