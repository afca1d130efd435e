"""What C++ wants to be told before it is used: the standard library's headers, and functions defined further down.

A model that goes on from `#include <vector>` and an opened function cannot go back to write another include, nor a
helper above the function it is in, and compilers refuse the names. Where each of the library's names belongs is told by
the header synopses of the C++17 standard.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from tree_sitter import Node

from apps.code.syntax import nodes, parse, text_of

_NAMES = {
    "algorithm": (
        "sort stable_sort partial_sort nth_element find find_if find_if_not find_first_of adjacent_find search count "
        "count_if reverse reverse_copy rotate unique remove remove_if replace replace_if min max minmax min_element "
        "max_element minmax_element transform for_each fill fill_n generate copy copy_if copy_n copy_backward equal "
        "mismatch all_of any_of none_of lower_bound upper_bound binary_search equal_range next_permutation "
        "prev_permutation is_permutation is_sorted merge inplace_merge includes set_union set_intersection "
        "set_difference set_symmetric_difference lexicographical_compare clamp shuffle partition stable_partition "
        "make_heap push_heap pop_heap sort_heap"
    ),
    "any": "any any_cast",
    "array": "array",
    "bitset": "bitset",
    "chrono": "chrono",
    "complex": "complex",
    "deque": "deque",
    "functional": "function bind greater less greater_equal less_equal plus minus multiplies logical_not hash",
    "iomanip": "setprecision setw setfill",
    "iostream": "cout cin cerr endl",
    "iterator": "back_inserter front_inserter inserter istream_iterator ostream_iterator istreambuf_iterator",
    "limits": "numeric_limits",
    "list": "list",
    "map": "map multimap",
    "memory": "unique_ptr shared_ptr weak_ptr make_unique make_shared",
    "numeric": "accumulate iota gcd lcm inner_product partial_sum adjacent_difference reduce",
    "optional": "optional nullopt make_optional",
    "queue": "queue priority_queue",
    "random": "mt19937 mt19937_64 random_device uniform_int_distribution uniform_real_distribution",
    "regex": "regex smatch regex_match regex_search regex_replace sregex_iterator sregex_token_iterator",
    "set": "set multiset",
    "sstream": "stringstream istringstream ostringstream",
    "stack": "stack",
    "stdexcept": "invalid_argument out_of_range runtime_error logic_error domain_error overflow_error",
    "string": "string to_string stoi stol stoll stoul stod stof getline",
    "string_view": "string_view",
    "tuple": "tuple make_tuple tie",
    "unordered_map": "unordered_map unordered_multimap",
    "unordered_set": "unordered_set unordered_multiset",
    "variant": "variant monostate visit get_if holds_alternative",
    "vector": "vector",
}
# Usable without std::
_C_NAMES = {
    "cassert": "assert",
    "cctype": "isalpha isdigit isalnum isspace isupper islower ispunct isxdigit toupper tolower",
    "cfloat": "FLT_MAX FLT_MIN FLT_EPSILON DBL_MAX DBL_MIN DBL_EPSILON",
    "climits": "INT_MAX INT_MIN UINT_MAX LONG_MAX LONG_MIN LLONG_MAX LLONG_MIN ULLONG_MAX CHAR_BIT CHAR_MAX CHAR_MIN",
    "cmath": (
        "sqrt cbrt pow exp log log2 log10 sin cos tan asin acos atan atan2 ceil floor round lround trunc fabs fmod "
        "hypot isnan isinf INFINITY NAN M_PI"
    ),
    "cstdint": "int8_t int16_t int32_t int64_t uint8_t uint16_t uint32_t uint64_t INT64_MAX INT32_MAX SIZE_MAX",
    "cstdio": "printf sprintf snprintf sscanf puts putchar getchar",
    "cstdlib": "abs atoi atof strtol malloc free rand srand exit abort",
    "cstring": "strlen strcmp strncmp strcpy strncpy strcat strchr strstr strtok memset memcpy memcmp",
}
_HEADER_OF = {name: header for header, names in _NAMES.items() for name in names.split()}
_C_HEADER_OF = {name: header for header, names in _C_NAMES.items() for name in names.split()}
_EVERYTHING = "bits/stdc++.h"


def with_declarations(code: str) -> str:
    """C++ code with the headers, function declarations and exceptions that it lacks; the rest stays as it is."""
    return with_headers(_with_prototypes(_with_exceptions(code)))


def with_headers(code: str) -> str:
    """C++ code with `#include` lines for what it uses, behind those it has or else at its beginning.

    Names that the code declares itself are its own, and bare ones are the standard library's only under
    `using namespace std`.
    """
    root = parse(code, "cpp")
    includes = [node for node in root.children if node.type == "preproc_include"]
    included = {
        text_of(node.child_by_field_name("path")).strip('<>"') for node in nodes(root, "preproc_include")
    }
    if _EVERYTHING in included:
        return code
    used = dict.fromkeys(header for name in _standard_names(root) if (header := _header_of(name)))
    missing = sorted(header for header in used if not {header, f"{header[1:]}.h"} & included)
    if not missing:
        return code
    lines = code.splitlines(keepends=True)
    place = includes[-1].start_point.row + 1 if includes else 0
    return "".join([*lines[:place], *(f"#include <{header}>\n" for header in missing), *lines[place:]])


def _with_exceptions(code: str) -> str:
    """What is thrown, by a capital name, and defined nowhere becomes a std::runtime_error with a message."""
    root = parse(code, "cpp")
    thrown = {
        text_of(call.child_by_field_name("function"))
        for statement in nodes(root, "throw_statement")
        for call in statement.named_children
        if call.type == "call_expression"
    }
    known = {text_of(node) for node in nodes(root) if _is_declared(node)}
    unknown = sorted(name for name in thrown - known if name.isidentifier() and name[0].isupper())
    if not unknown or any(
        node.type == "preproc_include" and b'"' in (node.text or b"") for node in nodes(root)
    ):
        return code  # a header of the user's may define it
    classes = "".join(
        f"struct {name} : std::runtime_error {{\n"
        f'    explicit {name}(const std::string& message = "{name}") : std::runtime_error(message) {{}}\n}};\n\n'
        for name in unknown
    )
    heads = ("preproc_include", "using_declaration", "comment")
    first = next(node for node in root.children if node.type not in heads)
    rows = code.splitlines(keepends=True)
    place = _above_comments(first).start_point.row
    return "".join([*rows[:place], classes, *rows[place:]])


def _above_comments(node: Node) -> Node:
    """The first of the comments that stand directly above a node, or the node."""
    while (above := node.prev_sibling) is not None and above.type == "comment":
        if node.start_point.row - above.end_point.row > 1:
            break
        node = above
    return node


def _with_prototypes(code: str) -> str:
    """Functions that stand behind their first use are declared in front of the function that uses them."""
    content = code.encode("utf-8", "replace")
    root = parse(code, "cpp")
    functions = [found for node in root.children if (found := free_function(node)) is not None]
    known = {text_of(name) for node in root.children for name in _declared_functions(node)}
    missing: dict[str, str] = {}
    first: Node | None = None
    for place, user in enumerate(functions):
        used = {text_of(node) for node in nodes(user.definition, "identifier")}
        for function in functions[place + 1 :]:
            if function.name in used - known and "=" not in function.parameters:
                missing.setdefault(
                    function.name, f"{function.returns} {function.name}{function.parameters};\n"
                )
                first = first or user.definition
        known.add(user.name)
    if first is None:
        return code
    first = _above_comments(first)
    before, after = content[: first.start_byte], content[first.start_byte :]
    return before.decode() + "".join(missing.values()) + "\n" + after.decode()


@dataclass(frozen=True)
class FreeFunction:
    """A function definition outside of classes and templates; `parameters` with the parentheses."""

    definition: Node
    returns: str
    name: str
    parameters: str


def free_function(node: Node) -> FreeFunction | None:
    """None for any other node."""
    if node.type != "function_definition":
        return None
    declarator = _function_declarator(node)
    if declarator is None:
        return None
    name, parameters = (declarator.child_by_field_name(field) for field in ("declarator", "parameters"))
    if name is None or name.type != "identifier":
        return None
    returns = (node.text or b"")[: declarator.start_byte - node.start_byte].decode("utf-8", "replace")
    return FreeFunction(node, returns.strip(), text_of(name), text_of(parameters))


def _function_declarator(node: Node) -> Node | None:
    declarator = node.child_by_field_name("declarator")
    while declarator is not None and declarator.type != "function_declarator":
        declarator = declarator.child_by_field_name("declarator")
    return declarator


def _declared_functions(node: Node) -> Iterator[Node]:
    declarator = _function_declarator(node) if node.type == "declaration" else None
    name = declarator.child_by_field_name("declarator") if declarator else None
    if name is not None:
        yield name


def is_standard(name: str) -> bool:
    """Whether C++'s standard library has the name."""
    return _header_of(name) is not None


def _header_of(name: str) -> str | None:
    return _HEADER_OF.get(name) or _C_HEADER_OF.get(name)


def _standard_names(root: Node) -> Iterator[str]:
    """The names in the code that mean the standard library's, as far as its form tells."""
    opened = any("namespace std" in text_of(node) for node in nodes(root, "using_declaration"))
    declared = {text_of(node) for node in nodes(root) if _is_declared(node)}
    for node in nodes(root):
        if node.type == "qualified_identifier" and text_of(node.child_by_field_name("scope")) == "std":
            name = node.child_by_field_name("name")
            yield text_of(name.child_by_field_name("name") or name if name else None)
        elif node.type in ("identifier", "type_identifier", "namespace_identifier"):
            name_text = text_of(node)
            if name_text not in declared and (opened or name_text in _C_HEADER_OF):
                yield name_text


def _is_declared(node: Node) -> bool:
    parent = node.parent
    if parent is None or node.type not in ("identifier", "type_identifier"):
        return False
    if parent.type in ("class_specifier", "struct_specifier", "enum_specifier", "alias_declaration"):
        return parent.child_by_field_name("name") == node
    if parent.type == "reference_declarator":
        return True
    return parent.type.endswith(("declarator", "declaration")) and node in parent.children_by_field_name(
        "declarator"
    )
