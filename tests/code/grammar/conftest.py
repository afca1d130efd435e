"""A small vocabulary, tree-sitter's own verdict and programs to try things on."""

from __future__ import annotations

import importlib
from collections.abc import Callable

import pytest
import tree_sitter

from apps.code.grammar.languages import language

PROGRAMS = {
    "python": '''\
"""A shop's till."""
from dataclasses import dataclass


@dataclass
class Item:
    name: str
    price: float = 0.0  # euros

    def total(self, count: int, *, rebate=0) -> float:
        if count < 1:
            raise ValueError(f"{self.name!r}: {count:>3} is too few")
        return self.price * count * (1 - rebate / 100)


def main():
    items = [Item("pear", 0.5), Item('für "alle"', 1e3)]
    best = max(
        (item for item in items if item.price),
        key=lambda item: item.price,
    )
    while True:
        try:
            print(best.total(count=2, rebate=5), *items, sep="\\n", end='')
        except ValueError as error:
            continue
        else:
            break


if __name__ == "__main__":
    main()
''',
    "java": '''\
package shop;

import java.util.*;

/** A till. */
public final class Till<T extends Comparable<T>> implements Runnable {
    private final Map<String, List<T>> items = new HashMap<>();
    static int x = 1 >> 2, y[] = {1, 2};

    public Till(int size) throws IllegalArgumentException {
        if (size < 0) throw new IllegalArgumentException("size \\u00e9 " + size);
    }

    @Override
    public void run() {
        for (var entry : items.entrySet()) {
            entry.getValue().sort((a, b) -> a.compareTo(b)); // by value
        }
        char c = 'x';
        String text = """
            two lines "quoted"
            """;
        do { x++; } while (x < 0x1F_FF && y[0] != 3);
    }
}
''',
    "cpp": """\
#include <vector>
#define SQUARE(x) ((x) * (x))

namespace shop {

template <typename T, int N = 3>
class Till : public Base<T> {
 public:
  explicit Till(int size) : size_(size), items_{} {}
  ~Till() = default;
  auto total() const noexcept -> double { return static_cast<double>(size_) * 1.5e3; }

 private:
  std::vector<std::vector<int>> items_;
  int size_ = 0;
};

}  // namespace shop

int main(int argc, char **argv) {
  const char *raw = R"x(a "raw" )" string)x";
  for (auto &item : items) {
    if (a < b && c > d) continue;
    std::cout << "h\\u00e9llo" << item << '\\n';
  }
  auto f = [&](int x) { return x ? SQUARE(x) : -1; };
  /* done */ return 0;
}
""",
    "json": '{"name": "pear", "prices": [0.5, -1e3, true, null], "é": {"a\\n": {}}}\n',
}


class SmallVocabulary:
    """All single bytes and some longer tokens; the last id stands for no text."""

    def __init__(self, words: list[str]) -> None:
        self._bytes = [bytes([b]) for b in range(256)] + [w.encode() for w in words] + [b""]
        self.vocab = len(self._bytes)

    def token_bytes(self, token: int) -> bytes:
        return self._bytes[token]

    def encode(self, text: str) -> list[int]:
        return list(text.encode())

    def text(self, tokens: list[int]) -> str:
        return b"".join(map(self.token_bytes, tokens)).decode()


@pytest.fixture(scope="session")
def vocabulary() -> SmallVocabulary:
    words = [
        "def",
        "class",
        "return",
        "import",
        "for",
        "in",
        "if",
        "else:",
        "()",
        "{}",
        "==",
        '"""',
        "int",
        "String",
        "void",
        "std::",
        "x",
        "y",
        "foo",
        "\n",
        "",
        "",
        "",
        "",
    ]
    return SmallVocabulary([w for w in words if w] + ["    ", "\n", " =", "é", "中文"])


@pytest.fixture(scope="session")
def parses() -> Callable[[str, str], bool]:
    """Whether tree-sitter itself finds neither ERROR nor MISSING."""

    def verdict(name: str, text: str) -> bool:
        package = language(name).package.replace("-", "_")
        parser = tree_sitter.Parser(tree_sitter.Language(importlib.import_module(package).language()))
        return not parser.parse(text.encode()).root_node.has_error

    return verdict
