"""Import lines for what Python code uses of the standard library, and exceptions that it raises and nobody defines.

Only names that nothing in the code binds are looked up: without an import each of them is a NameError.
"""

from __future__ import annotations

import ast
import builtins
import importlib
import re
import symtable
import warnings
from collections.abc import Iterator
from functools import cache
from types import ModuleType

# Where a name is looked for, in this order: `Counter` is that of collections, not typing's.
_MODULES = [
    "collections",
    "dataclasses",
    "enum",
    "abc",
    "typing",
    "pathlib",
    "functools",
    "itertools",
    "math",
    "re",
    "json",
    "datetime",
    "os",
    "sys",
    "random",
    "string",
    "heapq",
    "bisect",
    "contextlib",
    "copy",
    "operator",
    "time",
    "csv",
    "statistics",
    "decimal",
    "fractions",
    "argparse",
    "logging",
    "queue",
    "threading",
    "textwrap",
    "io",
    "shutil",
    "tempfile",
    "subprocess",
    "uuid",
    "hashlib",
    "base64",
    "calendar",
    "collections.abc",
    "concurrent.futures",
    "asyncio",
    "urllib.parse",
    "urllib.request",
    "sqlite3",
    "configparser",
    "glob",
    "fnmatch",
    "zlib",
    "gzip",
    "zipfile",
    "secrets",
    "struct",
    "traceback",
    "types",
    "unittest",
    "warnings",
    "weakref",
    "inspect",
    "signal",
    "socket",
    "platform",
    "getpass",
    "difflib",
    "array",
    "numbers",
    "cmath",
    "pprint",
    "locale",
    "html",
    "xml.etree.ElementTree",
    "timeit",
]
_BUILTINS = frozenset(dir(builtins)) | {"__file__", "__name__", "__doc__", "__annotations__", "__spec__"}


def with_declarations(code: str) -> str:
    """Python code with the imports, and the exceptions, that it lacks; the rest stays as it is.

    So does all of what is no Python, or imports everything of a module.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = ast.parse(code)
            missing = _unbound(code)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return code
    if any(isinstance(node, ast.alias) and node.name == "*" for node in ast.walk(tree)):
        return code
    homes = {name: home for name in missing if (home := _home_of(name, tree)) is not None}
    raised = sorted((_raised(tree) & missing) - homes.keys())
    if not homes and not raised:
        return code
    rows = code.splitlines(keepends=True)
    place = _place(tree, rows)
    head, tail = "".join(rows[:place]), "".join(rows[place:])
    if head and not head.endswith("\n"):
        head += "\n"
    classes = "".join(f"\n\nclass {name}(Exception):\n    pass\n" for name in raised)
    blank = len(tail) - len(tail.lstrip("\n"))
    wanted = 2 if classes else 1
    return head + _import_lines(homes) + classes + "\n" * max(0, wanted - blank) + tail


def _import_lines(homes: dict[str, str]) -> str:
    """`homes` has the module that each name is taken out of, which is empty where the name is a module itself."""
    plain = sorted(f"import {name}\n" for name, home in homes.items() if not home)
    taken = [
        f"from {module} import {', '.join(sorted(name for name, home in homes.items() if home == module))}\n"
        for module in sorted(set(homes.values()) - {""})
    ]
    return "".join([*plain, *taken])


def undefined_names(code: str) -> str | None:
    """What a compiler of another language would say of names that nothing in the code binds; None where there are none.

    Nothing is said of code that imports everything of a module, or that reckons with a NameError.
    """
    if re.search(r"import\s*\*|\bNameError\b|\bexec\(|\bglobals\(", code):
        return None
    try:
        missing = sorted(_unbound(code))
    except (SyntaxError, ValueError, RecursionError):
        return None
    return f"it uses {', '.join(missing)}, which nothing defines" if missing else None


def _unbound(code: str) -> set[str]:
    """Names that are looked up in the module and that nothing binds there."""
    tables = [symtable.symtable(code, "<answer>", "exec")]
    looked_up, bound = set(), set()
    for table in tables:
        tables += table.get_children()
        in_module = table.get_type() == "module"
        for symbol in table.get_symbols():
            binds = symbol.is_assigned() or (in_module and (symbol.is_imported() or symbol.is_namespace()))
            if binds and (in_module or symbol.is_declared_global()):
                bound.add(symbol.get_name())
            if symbol.is_referenced() and (in_module or symbol.is_global()):
                looked_up.add(symbol.get_name())
    return looked_up - bound - _BUILTINS


def _home_of(name: str, tree: ast.Module) -> str | None:
    """The module that has the name, "" where it is a module that the code takes names out of; None for neither."""
    attributes = {
        node.attr
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == name
    }
    if name in _MODULES and attributes and all(hasattr(_module(name), item) for item in attributes):
        return ""
    if not (name[:1].isupper() or attributes or _is_called(name, tree)):
        return None  # a variable that was forgotten, such as `count`
    return next((module for module in _MODULES if name in _names(module)), None)


def _is_called(name: str, tree: ast.Module) -> bool:
    called = (node.func for node in ast.walk(tree) if isinstance(node, ast.Call))
    decorators = (item for node in ast.walk(tree) for item in getattr(node, "decorator_list", []))
    return any(isinstance(node, ast.Name) and node.id == name for node in (*called, *decorators))


def _raised(tree: ast.Module) -> set[str]:
    return {node.id for node in _exceptions(tree) if isinstance(node, ast.Name) and node.id[:1].isupper()}


def _exceptions(tree: ast.Module) -> Iterator[ast.expr | None]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Raise):
            yield node.exc.func if isinstance(node.exc, ast.Call) else node.exc


def _place(tree: ast.Module, rows: list[str]) -> int:
    """The line behind the imports that begin the code, or its docstring, or its first comments like `#!`."""
    place = 0
    for number, node in enumerate(tree.body):
        documents = number == 0 and isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
        if not documents and not isinstance(node, ast.Import | ast.ImportFrom):
            break
        place = node.end_lineno or node.lineno
    if not place and rows and re.match(r"#!|#.*coding[:=]", rows[0]):
        return 1
    return place


@cache
def _module(name: str) -> object:
    return importlib.import_module(name)


@cache
def _names(module: str) -> frozenset[str]:
    found = _module(module)
    public = getattr(found, "__all__", None) or [name for name in dir(found) if not name.startswith("_")]
    # `os` in a module that imports it is not its own
    return frozenset(name for name in public if not isinstance(getattr(found, name, None), ModuleType))
