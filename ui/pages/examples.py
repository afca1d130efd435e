"""What the code studio offers to try."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Task:
    """Something to write. `name` and the texts are labels.py keys, or words in both languages."""

    name: str
    english: str
    chinese: str
    language: str


@dataclass(frozen=True)
class Change:
    """Some code between other code, and what is to become of it, in words of both languages."""

    name: str
    english: str
    chinese: str
    prefix: str
    selection: str
    suffix: str
    language: str


@dataclass(frozen=True)
class Gap:
    """A file with a hole; the cursor belongs between `prefix` and `suffix`."""

    name: str
    prefix: str
    suffix: str
    language: str


@dataclass(frozen=True)
class Program:
    """Something to translate."""

    name: str
    code: str
    source: str
    target: str


TASKS = (
    Task(
        "code.example.primes",
        "A function primes(n) that returns all primes up to n.\n\n>>> primes(10)\n[2, 3, 5, 7]\n>>> primes(1)\n[]",
        "写一个函数 primes(n)，返回不大于 n 的所有素数。\n\n>>> primes(10)\n[2, 3, 5, 7]\n>>> primes(1)\n[]",
        "python",
    ),
    Task(
        "code.example.palindrome",
        "A class Palindrome with a static isPalindrome(String text) that ignores case and punctuation.",
        "写一个类 Palindrome，包含静态方法 isPalindrome(String text)，忽略大小写和标点。",
        "java",
    ),
    Task(
        "code.example.lru",
        "An LRU cache for int keys and values with get and put, both in constant time.",
        "实现一个 LRU 缓存，键和值都是 int，get 和 put 都是常数时间。",
        "cpp",
    ),
)

CHANGES = (
    Change(
        "code.example.guard",
        "raise a ValueError if the radius is negative",
        "半径为负数时抛出 ValueError",
        "import math\n\n\nclass Circle:\n"
        "    def __init__(self, radius: float) -> None:\n        self.radius = radius\n\n",
        "    def area(self) -> float:\n        return math.pi * self.radius**2\n",
        "\n    def scale(self, factor: float) -> None:\n        self.radius *= factor\n",
        "python",
    ),
    Change(
        "code.example.guarded",
        "throw an IllegalStateException if the stack is empty",
        "栈为空时抛出 IllegalStateException",
        "import java.util.ArrayList;\n\npublic class Stack {\n"
        "    private final ArrayList<Integer> items = new ArrayList<>();\n\n",
        "    public int pop() {\n        return items.remove(items.size() - 1);\n    }\n",
        "\n    public boolean isEmpty() {\n        return items.isEmpty();\n    }\n}\n",
        "java",
    ),
    Change(
        "code.example.modern",
        "take the vector by const reference and use a range-based for loop",
        "改为 const 引用参数，并使用范围 for 循环",
        "#include <string>\n#include <vector>\n\nstruct Item {\n    std::string name;\n    double price;\n};\n\n",
        "double total(std::vector<Item> items) {\n    double sum = 0;\n"
        "    for (int i = 0; i < items.size(); i++) {\n        sum += items[i].price;\n    }\n    return sum;\n}\n",
        "",
        "cpp",
    ),
)

GAPS = (
    Gap(
        "code.example.search",
        "def binary_search(items: list[int], wanted: int) -> int:\n"
        '    """The index of `wanted` in the sorted `items`, or -1."""\n'
        "    low, high = 0, len(items) - 1\n"
        "    while low <= high:\n"
        "        middle = (low + high) // 2\n"
        "        ",
        "\n    return -1\n",
        "python",
    ),
    Gap(
        "code.example.counter",
        "import java.util.HashMap;\nimport java.util.Map;\n\npublic class WordCount {\n"
        "    public static Map<String, Integer> count(String text) {\n"
        "        Map<String, Integer> counts = new HashMap<>();\n"
        "        ",
        "\n        return counts;\n    }\n}\n",
        "java",
    ),
    Gap(
        "code.example.gcd",
        "#include <iostream>\n\nint gcd(int a, int b) {\n    ",
        "\n}\n\nint main() {\n    std::cout << gcd(84, 36) << std::endl;\n    return 0;\n}\n",
        "cpp",
    ),
)

PROGRAMS = (
    Program(
        "code.example.fib",
        "def fibonacci(n: int) -> list[int]:\n"
        "    numbers = [0, 1]\n"
        "    while len(numbers) < n:\n"
        "        numbers.append(numbers[-1] + numbers[-2])\n"
        "    return numbers[:n]\n",
        "python",
        "java",
    ),
    Program(
        "code.example.stack",
        "import java.util.ArrayList;\n\npublic class Stack {\n"
        "    private final ArrayList<Integer> items = new ArrayList<>();\n\n"
        "    public void push(int item) {\n        items.add(item);\n    }\n\n"
        "    public int pop() {\n        return items.remove(items.size() - 1);\n    }\n\n"
        "    public boolean isEmpty() {\n        return items.isEmpty();\n    }\n}\n",
        "java",
        "cpp",
    ),
    Program(
        "code.example.area",
        "#include <cmath>\n#include <string>\n\ndouble area(const std::string& shape, double size) {\n"
        '    if (shape == "circle") {\n        return M_PI * size * size;\n    }\n'
        "    return size * size;\n}\n",
        "cpp",
        "python",
    ),
)
