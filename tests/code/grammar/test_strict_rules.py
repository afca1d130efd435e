"""What strict rules refuse beyond tree-sitter, and what they must never refuse."""

from __future__ import annotations

import ast

import pytest

from apps.code.grammar.grammar import grammar
from apps.code.grammar.program import ProgramText

from .test_acceptor import Verdict, complete

LEGAL = {
    "python": [
        "import a, b as c\nfrom a import (b, c as d,)\nfrom . import e, f\n",
        "with (a, b as c,):\n    pass\nwith (a,), b: pass\n",
        "with a as b, c as d: pass",
        "with (a as b, c as d):\n pass",
        "try: pass\nexcept (A, B) as e: pass",
        "try:\n  a\n# c\nfinally:\n  b",
        "try:\n  a\nexcept A:\n  b\nelse:\n  c",
        "x = 'a' f'{b\"c\" + b\"\"}' r'd'\ny = (b'a' # c\n  Rb'b')\nz = 'a', b'b'",
        "def f():\n  try: a\n  finally: b\n  try:\n    c\n  except: d\ne",
        "try: pass\nexcept* E as e: pass",
        "from a import (b as c)",
        "match x:\n case A() as y:\n  pass",
        "a = b = c, = d",
        "x: list[int] = []",
        "f(a, b=1, *c, **d)",
        "def f(a, *, b, **c): return a * -b ** ~c, *d, {**e}\nfrom a import *",
        "class A:\n  # a\n  # b\n\n  # c\n# d\n  # e\n  x = 1  # f\n  # g\n  # h\n# i\n# j\ny = 2",
        "y = (\n # k\n # l\n # m\n 2)\n# n\n# o\n# p\n",
        "f(a=1, match=2, type=3, print=4)",
        "f({**a, 'b': 1}, c)",
        "f(a=lambda x=1: x, b=2)",
        "class A(B, m=C): x: int = 3",
        "print(x, y := 2)",
        "a = b if c else d if e else f if (g if h else i) else j",
        "a = [b if c else d for e in f if g if (h if i else j)]\na = b if c[d if e else f] else {g if h else i}",
        "if a if b else c: d\nmatch e:\n  case f if g if h else i: j",
        "a = '\u200d'  # \u200c",
        "if x := 1: pass\nelif y := 2: pass\nwhile z := f(): pass",
        "a = (x := 1), [y := 2, z := 3], {v := 4}, b[w := 5], b[i, j := 6]",
        "a = [y := f(x), *z] if (c := d) and (e := g) else (h := 1)",
        "a = [y for x in z if (w := x) if (v := w)]\nf(y := x for x in z)",
        "match x := f():\n case y if z := y: (a := 1)\n@(b := c)\ndef f(d=(e := 1)) -> (g := 2): return (h := 3)",
        "@b := c\ndef f(): yield (x := 1)",
        "f'{(x := 1):{(y := 2)}} {x:=5}'",
        "a = lambda: (x := 1)\nassert (y := 2), (z := 3)",
        "for x in a, b: f(*(x for x in c), [x for x in d if e])",
        "s = b'\\x00' rb'\\d' Rb'\\q'",
        "x = 0xFF_FF + 0b1_0 + 00 + 1_000.5e-3j + 01.5",
        "x = [\n1,\n      # c\n2]\n",
        "if a:\n\tb\n\n# c\n\tif d:\n\t\te\nf",
        "x = 1 \\\n  + 2",
        "async def f():\n  async with a as b: await c",
        'f"{x!r:>{w}}"',
        "'\\N{BULLET} \\u00e9 \\U0010ffff \\d'",
        "match = type = print = _ = 1",
    ],
    "java": [
        "record A(int a) { A { a = 1; } }",
        "class A { var var = 1; int record, sealed, yield; }",
        'class A { String s = """\n two\n"""; }',
        "class A { void f() { g(_ -> 1); } }",
        "sealed interface A permits B {}",
        "class A<T> extends B<T> { @X({1}) <T> A(T t) {} B f() { return new B() {}; } class D { D(){} } A() {} }",
        "class /* c */ A { static class D { D() {} } /* d */ A /* e */ () { super(B.class); } }",
        "enum E { X(1) { void f() {} }, Y; E() {} private E(int i) {} }",
        "record R(@X({1, 2}) int a) implements I { R { } R() { this(1); } }",
        "class A { void f() { record R(int a) { public R {} } var record = R.class; record.g(); } A() {} }",
        'class A { String s = STR."\\{f(x)} b"; A() {} }',
        "public @A final @A(1) @B class X { @A public static final transient int x = 1; @Z native void f(); }",
        "public sealed interface I permits A {} non-sealed class A implements I {}",
        "interface I { default void f() {} private static void g() {} }",
        "class A { static { } static void f(final int x) { final int y; synchronized (x) {} synchronized (y) {} } }",
        "import a.b; ; class A {} ; void main() { f(); }",
        "int x = 5; String[] s = {}; final var v = a < b; a.b.C<D> c()[] { return null; } <T> void f(T t) {}",
        "@A open module a.b { requires static transitive c; exports d to e; }",
        "@A package a.b;",
        "int f(Object o) { return switch (o) { case A a -> 1; case null, default -> 2; }; }",
    ],
    "cpp": [
        "FOO(x);\nint a;",
        """char a = '/', b[] = "//", c = '*'; // d""",
        "int \\u00e9 = 1, a\\u00e9 = 2;\nbool b = x not_eq\\\n y;",
        "auto f = [x = 1](auto &&y) mutable -> int { return y; };",
        "template <class T> concept C = requires(T t) { t + 1; };",
        "int f() { return (a == b) ? c : d; }",
        "int operator&&(A a, A b);",
        "int f(char *const *a, const int *b, int c[static const 3]);",
        "static const unsigned *x; const auto &y = 1; inline A::operator B *() const { return 0; }",
    ],
}

ILLEGAL = {
    "python": [
        "import a,\n",
        "import a, b as c,; x = 1\n",
        "from a import b,\n",
        "with a, b as c,:\n    pass\n",
        "if x:\ny",
        "if x:\n",
        "x =\ny",
        "  x = 1",
        "x = 1\n  y",
        "if a:\n    b\n  c",
        "f('abc\n')",
        'print "a"',
        "class = 1",
        "x = 012",
        "x = 1__0",
        "'\\x1g'",
        "'\\u12'",
        "'\\U00110000'",
        "b'é'",
        "ur'a'",
        "f(x as y)",
        "f(,)",
        "a, b += 1",
        "a = b += 1",
        "a, b: int",
        "f(a=1, b)",
        "class A(m=B, C): pass",
        "x = \u200b1",
        "x\u200c = 1",
        "a = b if c if d else e else f",
        "a = [b for c in d if e if f else g]",
        "x = # c\n1",
        "x = 1 # \0",
        "x = 1L",
        "x = 'a' b'b'",
        "x = rb'a' 'b'",
        "try:\n  a\nb",
        "try:\n  a\n",
        "try:\n  a\nelse:\n  b\nfinally:\n  c",
        "x := 1",
        "if a: x := 1",
        "y = x := 1",
        "a and x := 1",
        "(a or x := 1)",
        "f(a=x := 1)",
        "{a: x := 1}",
        "lambda: x := 1",
        "def f():\n  return x := 1",
        "print(a if x := b else c)",
        "print(a if b else x := c)",
        "[x for x in a if b := c]",
        "[x for x in a if b if c := d]",
        "[x for x in a, b]",
        "f(* *a)",
        "a ** **b",
        "[x for x in a, ]",
        "for +a.b in c: pass",
        "for *await a.b in c: pass",
    ],
    "java": [
        'class A { String s = "a\n"; }',
        "class A { int class; }",
        "class new {}",
        "int x = f(y, default);",
        "class A { B() {} }",
        "class A { public <T> B(T t) {} }",
        "class A { class B { A() {} } }",
        "class A { Object o = new A() { A() {} }; }",
        "enum E { X; F() {} }",
        "record R(int a) { S { } }",
        "class A { A { } }",
        "public public class A {}",
        "class A { static final static int x; }",
        "class A { public private int x; }",
        "class A { void f(final @X final int x) {} }",
        "non-sealed non-sealed class A {}",
        "if (a) {}",
        "{ }",
        "return;",
        "x();",
        "x = 1;",
        "x++;",
        "x: y();",
        "x -> y;",
        "a.b();",
        "a.b = 3;",
        "a[1] = 2;",
        "a < b;",
        "a < b + c;",
        "a.<T>b();",
        "a.new B();",
        "a::b;",
        "int.class;",
        "int[]::new;",
        "synchronized (a) { }",
        "yield x;",
        "record.f();",
        "class A {} f();",
    ],
    "cpp": [
        "int main() { char c = 'a\n'; }",
        "class T { &f() {} };",
        'const char *s = "a\n";',
        "int main() { const *x; }",
        "char a = '/* */x';",
    ],
}


@pytest.mark.parametrize(("name", "text"), [(name, text) for name in LEGAL for text in LEGAL[name]])
def test_legal_code_is_never_refused(name: str, text: str) -> None:
    if name == "python":
        ast.parse(text)
    assert complete(name, text)


@pytest.mark.parametrize(("name", "text"), [(name, text) for name in ILLEGAL for text in ILLEGAL[name]])
def test_strict_rules_refuse_what_the_language_refuses(name: str, text: str) -> None:
    if name == "python":
        with pytest.raises(SyntaxError):
            ast.parse(text)
    assert not complete(name, text)


@pytest.mark.parametrize(("name", "text"), [(name, text) for name in LEGAL for text in LEGAL[name]])
def test_legal_code_is_never_refused_in_single_characters(name: str, text: str) -> None:
    program = ProgramText(grammar(name))
    state = program.start
    for position, character in enumerate(text):
        state = program.advance(state, character)
        assert state is not None, text[: position + 1]
    assert program.may_end(state)


@pytest.mark.parametrize(
    ("name", "text"), [(name, text) for texts in (LEGAL, ILLEGAL) for name in texts for text in texts[name]]
)
def test_what_strict_rules_allow_so_far_can_be_completed(name: str, text: str, parses: Verdict) -> None:
    program = ProgramText(grammar(name))
    state = program.start
    for position, character in enumerate(text):
        state = program.advance(state, character)
        if state is None:
            return
        completion = program.completion(state)
        assert completion is not None, text[: position + 1]
        assert parses(name, text[: position + 1] + completion)
    assert program.may_end(state) == complete(name, text)
