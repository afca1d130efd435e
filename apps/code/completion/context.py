"""What of a project the model is shown around a cursor, in an order in which the next keystroke changes little.

The prompt is: other files, the file's imports where its beginning is left out, the text before the cursor, then the
text after it (PSM order), and of what is left out there the lines that use a name nobody declares. A keystroke changes
the end of what stands before the cursor, so all before that comes from the cache; what stands after it is kept short,
since it is read again each time.
Both far ends are put where they stay when lines are added: a window that slid with each line would change
everything after its beginning.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence

from apps.code.completion.gap import OtherFile, Room
from apps.code.completion.undeclared import undeclared_uses
from apps.code.syntax import parse
from core_model.tokenizer import Tokenizer

IMPORT_TOKENS = 64
USES_TOKENS = 64
"""Of lines farther down that use what may have to be declared at the cursor."""
_IMPORTS = frozenset(
    {
        *("import_statement", "import_from_statement", "future_import_statement"),
        *("import_declaration", "package_declaration", "preproc_include", "using_declaration"),
    }
)
_SLACK = 0.5  # share of the room before the cursor within which the beginning may lie
_CHARACTERS = 8  # a token has seldom more: what is farther away is not even encoded


def fim_prompt(
    tokenizer: Tokenizer,
    prefix: str,
    suffix: str,
    files: Sequence[OtherFile],
    room: Room,
    language: str | None = None,
) -> list[int]:
    """The prompt, of about as many tokens as there is room for. Raises RequestError for a model that cannot fill in."""
    after = _first_lines(tokenizer, suffix, room.after)
    if after.endswith("\n") and len(after) < len(suffix) and language is not None:
        after += _lines_that_fit(
            tokenizer, undeclared_uses(prefix, suffix, len(after), language), USES_TOKENS
        )
    if after.endswith("\n"):  # blank lines at the end would be taken for what the gap ends with
        after = after.rstrip() + "\n"
    before = _last_lines(tokenizer, prefix, room.before)
    if len(before) < len(prefix) and language is not None:
        before = _last_lines(tokenizer, prefix, room.before - IMPORT_TOKENS)
        head = _imports(prefix[: len(prefix) - len(before)], language)
        before = _first_lines(tokenizer, head, IMPORT_TOKENS) + before
    left = room.before - len(tokenizer.encode(before))
    return tokenizer.encode_fim(before, after, _that_fit(tokenizer, files, left))


def _imports(text: str, language: str) -> str:
    """The imports of a file, each on lines of its own."""
    data = text.encode("utf-8", "replace")
    found = [node for node in parse(text, language).children if node.type in _IMPORTS]
    lines = (data[node.start_byte : node.end_byte].decode().rstrip() for node in found)
    return "".join(f"{line}\n" for line in lines)


def _last_lines(tokenizer: Tokenizer, text: str, room: int) -> str:
    """The end of a text, from the beginning of a line on; its last line whatever it takes."""
    if len(text) > room * _CHARACTERS:
        text = text[-room * _CHARACTERS :]
        text = text[text.find("\n") + 1 :]
    lines = text.splitlines(keepends=True) or [""]
    sizes = _sizes(tokenizer, lines)
    if sum(sizes) <= room:
        return text
    first, held = len(lines) - 1, sizes[-1]
    candidates = []
    while first and held + sizes[first - 1] <= room:
        first -= 1
        held += sizes[first]
        if held >= room * _SLACK:
            candidates.append(first)
    return "".join(lines[min(candidates, key=lambda index: _rank(lines[index]), default=first) :])


def _rank(line: str) -> tuple[int, bytes]:
    """Any order of lines that does not depend on where they stand: the least one of a window stays the least until it
    leaves. A declaration far to the left is the best to begin with."""
    indentation = len(line) - len(line.lstrip()) if line.strip() else 1_000
    return indentation, hashlib.blake2b(line.encode("utf-8", "replace"), digest_size=8).digest()


def _first_lines(tokenizer: Tokenizer, text: str, room: int) -> str:
    lines = text[: room * _CHARACTERS].splitlines(keepends=True)
    taken = 0
    for count, size in enumerate(_sizes(tokenizer, lines)):
        taken += size
        if taken > room:
            return "".join(lines[: max(1, count)])
    return "".join(lines)


def _lines_that_fit(tokenizer: Tokenizer, lines: Iterable[str], room: int) -> str:
    """As many lines as there is room for, the first first; one that is too long is left out."""
    taken = ""
    for line in lines:
        size = len(tokenizer.encode(line))
        if size <= room:
            taken += line
            room -= size
    return taken


def _that_fit(tokenizer: Tokenizer, files: Sequence[OtherFile], room: int) -> list[tuple[str, str]]:
    """As many files as there is room for, the last first, in their own order."""
    taken: list[tuple[str, str]] = []
    for file in reversed(files):
        room -= len(tokenizer.encode(f"{file.name}\n{file.text[: room * _CHARACTERS + 1]}\n"))
        if room < 0:
            break
        taken.insert(0, (file.name, file.text))
    return taken


def _sizes(tokenizer: Tokenizer, lines: Sequence[str]) -> list[int]:
    return [len(tokenizer.encode(line)) for line in lines]
