"""Port of tree-sitter-python 0.25.0's `scanner.c`: newlines, indentation and strings; and CPython's own stricter
rules about them.

Strict, it refuses what CPython's tokenizer refuses: indentation that matches nothing, a block without an indented
line, a newline in the middle of a statement outside brackets or inside a quoted string, unknown string prefixes, and
non-ASCII characters in bytes literals.
"""

from __future__ import annotations

import re
import sys

from apps.code.grammar.scanner import BAD_TEXT, FRESH, NO_TOKEN, SUSPENDED, TOKEN, Memory, Phase, Scan, Window

(
    NEWLINE,
    INDENT,
    DEDENT,
    STRING_START,
    STRING_CONTENT,
    ESCAPE_INTERPOLATION,
    STRING_END,
    COMMENT,
    CLOSE_PAREN,
    CLOSE_BRACKET,
    CLOSE_BRACE,
    EXCEPT,
) = range(12)

_QUOTE_OF_FLAG = {1: "'", 2: '"', 4: "`"}
_FLAG_OF_QUOTE = {quote: flag for flag, quote in _QUOTE_OF_FLAG.items()}
_RAW, _FORMAT, _TRIPLE, _BYTES = 8, 16, 32, 64
_PREFIX_FLAGS = {"f": _FORMAT, "t": _FORMAT, "r": _RAW, "b": _BYTES, "u": 0}
_LEGAL_PREFIXES = {"", "r", "u", "b", "br", "f", "fr"} | (
    {"t", "rt"} if sys.version_info >= (3, 14) else set()
)

_PLAIN_CONTENT = re.compile("[^\\\\'\"`{}\n\r\0]+")
_PLAIN_ASCII_CONTENT = re.compile("[^\\\\'\"`{}\n\r\0\x80-\U0010ffff]+")
_COMMENT_TEXT = re.compile("[^\n\0]+")
_COMMENT_LINES = re.compile("(?:[ \t\r\f]*(?:#[^\n\0]*)?\n)*")
_BLANK_LINES = r"(?:[ \t\r\f]*\n)*"
_COMMENT_RUN = re.compile(
    rf"\n{_BLANK_LINES}([ \t]*)#[^\n\0]*(?:\n{_BLANK_LINES}\1#[^\n\0]*)*(?=\n{_BLANK_LINES}\1#[^\n\0]*\n)"
)
"""Comment lines of equal indentation, without the last one."""

# Phases: (_IN_CONTENT, offset, has content) and
# (_IN_SPACE, offset, newline seen, indentation, indentation of the first comment or -1, in a comment, token end,
#  continued by a backslash)
_IN_CONTENT, _IN_SPACE = 1, 2

# Where in a line the parser stands (memory[4]).
_MID_LINE, _LINE_START, _FILE_START = 0, 1, 2
_AFTER_TEXT, _AFTER_BYTES = (
    3,
    4,
)  # in the middle, right after a string: CPython joins it with one of its kind only
_IN_LINE = (_MID_LINE, _AFTER_TEXT, _AFTER_BYTES)


def _quote(delimiter: int) -> str:
    return _QUOTE_OF_FLAG.get(delimiter & 7, "")


def closing_quote(delimiter: int) -> str:
    """The quotes that close a string which was opened with this delimiter."""
    return _quote(delimiter) * (3 if delimiter & _TRIPLE else 1)


class PythonScanner:
    """The memory is (indentations, open string delimiters, inside a format string, open brackets, place in the
    line); the last two change only in strict mode."""

    initial: Memory = ((0,), (), False, 0, _FILE_START)

    def __init__(self, names: list[str], token_count: int, strict: bool) -> None:
        self.strict = strict
        symbols = range(token_count)
        self._opening = frozenset(s for s in symbols if names[s] in ("(", "[", "{"))
        self._closing = frozenset(s for s in symbols if names[s] in (")", "]", "}"))
        self._extra = frozenset(s for s in symbols if names[s] in ("comment", "line_continuation"))

    def scan(self, window: Window, start: int, memory: Memory, phase: Phase) -> Scan:
        delimiters, valid = memory[1], window.valid
        if phase:
            if phase[0] == _IN_CONTENT:
                return self._content(window, start, memory, start + phase[1], bool(phase[2]))
            return self._space(window, start, memory, phase)
        error_recovery = valid[STRING_CONTENT] and valid[INDENT]
        if delimiters and not error_recovery:
            character = window.text[start] if start < window.limit else ""
            if valid[ESCAPE_INTERPOLATION] and delimiters[-1] & _FORMAT and character in ("{", "}"):
                if start + 1 < window.limit:
                    doubled = window.text[start + 1] == character
                    return (TOKEN, ESCAPE_INTERPOLATION, start + 2, memory) if doubled else NO_TOKEN
                return NO_TOKEN if window.at_end else (SUSPENDED, FRESH, None, None)
            if valid[STRING_CONTENT]:
                return self._content(window, start, memory, start, False)
        return self._space(window, start, memory, (_IN_SPACE, 0, 0, 0, -1, 0, 0, 0))

    def _content(self, window: Window, start: int, memory: Memory, i: int, has_content: bool) -> Scan:
        text, limit, delimiter = window.text, window.limit, memory[1][-1]
        quote = _quote(delimiter)
        ascii_only = self.strict and delimiter & _BYTES
        plain = _PLAIN_ASCII_CONTENT if ascii_only else _PLAIN_CONTENT
        while True:
            run = plain.match(text, i, limit)
            if run:
                i, has_content = run.end(), True
            if i >= limit:
                if window.at_end:
                    break
                return (SUSPENDED, (_IN_CONTENT, i - start, int(has_content)), None, None)
            character = text[i]
            if character == "\0":
                if self.strict:
                    return BAD_TEXT
                break
            after = text[i + 1] if i + 1 < limit else ""
            undecided = not after and not window.at_end
            if character in "{}" and delimiter & _FORMAT:
                return (TOKEN, STRING_CONTENT, i, memory) if has_content else NO_TOKEN
            if character == "\\":
                if delimiter & _RAW:
                    length = _raw_escape_length(text[i + 1 : i + 4], quote, window.at_end)
                    if length < 0:
                        return (SUSPENDED, (_IN_CONTENT, i - start, int(has_content)), None, None)
                    i += 1 + length
                    continue
                if delimiter & _BYTES:
                    if undecided:
                        return (SUSPENDED, (_IN_CONTENT, i - start, int(has_content)), None, None)
                    if after not in ("N", "u", "U"):
                        return (TOKEN, STRING_CONTENT, i, memory) if has_content else NO_TOKEN
                    if i + 2 >= limit and not window.at_end:
                        return (SUSPENDED, (_IN_CONTENT, i - start, int(has_content)), None, None)
                    i += 2
                else:
                    return (TOKEN, STRING_CONTENT, i, memory) if has_content else NO_TOKEN
            elif character == quote:
                if delimiter & _TRIPLE:
                    if undecided or (after == quote and i + 2 >= limit and not window.at_end):
                        return (SUSPENDED, (_IN_CONTENT, i - start, int(has_content)), None, None)
                    if text[i + 1 : i + 3] != quote * 2:
                        return (TOKEN, STRING_CONTENT, i + 1 + (after == quote), memory)
                    if has_content:
                        return (TOKEN, STRING_CONTENT, i, memory)
                    return (TOKEN, STRING_END, i + 3, self._without_string(memory))
                if has_content:
                    return (TOKEN, STRING_CONTENT, i, memory)
                return (TOKEN, STRING_END, i + 1, self._without_string(memory))
            elif character in "\n\r" and not delimiter & _TRIPLE:
                if self.strict:
                    return BAD_TEXT
                if has_content and character == "\n":
                    return NO_TOKEN
            elif ascii_only and character > "\x7f":
                return BAD_TEXT
            i += 1
            has_content = True
        return self._space(window, start, memory, (_IN_SPACE, i - start, 0, 0, -1, 0, i - start, 0))

    def _space(self, window: Window, start: int, memory: Memory, phase: Phase) -> Scan:
        _, offset, newline, indent, comment_indent, in_comment, end, continued = phase
        text, limit, valid = window.text, window.limit, window.valid
        i = start + offset
        comments = valid[INDENT] or valid[DEDENT] or valid[NEWLINE] or valid[EXCEPT]
        character = ""
        while True:
            if in_comment:
                run = _COMMENT_TEXT.match(text, i, limit)
                i = run.end() if run else i
            if i >= limit:
                if not window.at_end:
                    state = (newline, indent, comment_indent, in_comment, end, continued)
                    return (SUSPENDED, (_IN_SPACE, i - start, *state), None, None)
                character, newline, indent = "", 1, 0
                break
            character = text[i]
            if in_comment:
                in_comment, indent = 0, 0
                if character == "\n" and not continued:
                    # Each comment of a block is scanned from its own end to the end of the block.
                    lines = _COMMENT_LINES.match(text, i + 1, limit)
                    i = lines.end() - 1 if lines else i
            elif character == "\n":
                newline, indent, continued = 1, 0, 0
            elif character == " ":
                indent += 1
            elif character in "\r\f":
                indent = 0
            elif character == "\t":
                indent += 8
            elif character == "#" and comments:
                if not newline:
                    return NO_TOKEN if self._may_end_line(window, memory) else BAD_TEXT
                comment_indent = indent if comment_indent == -1 else comment_indent
                in_comment = 1
            elif character == "\\":
                following = text[i + 1 : i + 3]
                if i + 1 + len(following) >= limit and not window.at_end and following in ("", "\r"):
                    state = (newline, indent, comment_indent, in_comment, end, continued)
                    return (SUSPENDED, (_IN_SPACE, i - start, *state), None, None)
                skipped = following[:1] == "\r"
                if following[skipped : skipped + 1] not in ("\n", ""):
                    return NO_TOKEN
                i += skipped + (len(following) > skipped)
                continued = 1
            else:
                break
            i += 1
        return self._decide(
            window, start, memory, i, character, newline, indent, comment_indent, end, continued
        )

    def _decide(
        self,
        window: Window,
        start: int,
        memory: Memory,
        i: int,
        character: str,
        newline: int,
        indent: int,
        comment_indent: int,
        end: int,
        continued: int,
    ) -> Scan:
        """The token for the white space up to `i`, where `character` (or "" for the end of the text) stands."""
        valid = window.valid
        indents, delimiters, inside_format, depth, place = memory
        within_brackets = valid[CLOSE_BRACE] or valid[CLOSE_PAREN] or valid[CLOSE_BRACKET]
        error_recovery = valid[STRING_CONTENT] and valid[INDENT]
        found = -1
        if newline:
            current = indents[-1]
            string_next = valid[STRING_START] and character in ("'", '"', "`")
            if valid[INDENT] and indent > current:
                found = INDENT
            elif (
                (valid[DEDENT] or (not valid[NEWLINE] and not string_next and not within_brackets))
                and indent < current
                and not inside_format
                and comment_indent < current
            ):
                found = DEDENT
            elif valid[NEWLINE] and not error_recovery:
                found = NEWLINE
        in_string = valid[STRING_CONTENT] and delimiters
        if self.strict and depth == 0 and not in_string and not continued:
            line_begins = newline or place == _FILE_START
            if line_begins and not self._legal_line(window, memory, character, indent, found):
                return BAD_TEXT
        if self.strict and (
            (continued and not character)
            or (character == "#" and not newline and not self._may_end_line(window, memory))
        ):
            return BAD_TEXT
        if found == INDENT:
            return (
                TOKEN,
                INDENT,
                start + end,
                ((*indents, indent), delimiters, inside_format, depth, _LINE_START),
            )
        if found == DEDENT:
            return (TOKEN, DEDENT, start + end, (indents[:-1], delimiters, inside_format, depth, _LINE_START))
        if found == NEWLINE:
            return (TOKEN, NEWLINE, start + end, (indents, delimiters, inside_format, depth, _LINE_START))
        if comment_indent == -1 and valid[STRING_START]:
            return self._string_start(
                window, i, memory, (_IN_SPACE, i - start, newline, indent, -1, 0, end, continued)
            )
        return NO_TOKEN

    def _legal_line(self, window: Window, memory: Memory, character: str, indent: int, found: int) -> bool:
        """CPython's rules for a line that begins with `character` at `indent`, outside brackets."""
        indents, place = memory[0], memory[4]
        if place in _IN_LINE:
            if found not in (NEWLINE, INDENT):
                return False
            return found == INDENT or not window.valid[INDENT]
        if character in ("", "#", "\\"):
            return True
        return indent in indents if indent < indents[-1] else indent == indents[-1]

    def _may_end_line(self, window: Window, memory: Memory) -> bool:
        """Whether the statement may end here or at the end of the block's first line (what a comment demands)."""
        if not self.strict or memory[3] or memory[4] not in _IN_LINE:
            return True
        valid = window.valid
        return (valid[NEWLINE] and window.takes(NEWLINE)) or (valid[INDENT] and window.takes(INDENT))

    def _string_start(self, window: Window, i: int, memory: Memory, phase: Phase) -> Scan:
        text, limit = window.text, window.limit
        suspended = (SUSPENDED, phase, None, None)
        flags, prefix_start = 0, i
        while i < limit and text[i].lower() in _PREFIX_FLAGS:
            flags |= _PREFIX_FLAGS[text[i].lower()]
            i += 1
        if i >= limit:
            return NO_TOKEN if window.at_end else suspended
        quote = text[i]
        if quote not in _FLAG_OF_QUOTE:
            return NO_TOKEN
        if self.strict and (
            quote == "`"
            or "".join(sorted(text[prefix_start:i].lower())) not in _LEGAL_PREFIXES
            or memory[4] == (_AFTER_TEXT if flags & _BYTES else _AFTER_BYTES)
        ):
            return NO_TOKEN
        end = i + 1
        if quote != "`":
            following = text[i + 1 : min(i + 3, limit)]
            if not window.at_end and following in ("", quote) and i + 1 + len(following) >= limit:
                return suspended
            if following == quote * 2:
                flags, end = flags | _TRIPLE, i + 3
        indents, delimiters, _, depth, _ = memory
        delimiters += (flags | _FLAG_OF_QUOTE[quote],)
        place = _MID_LINE if self.strict else memory[4]
        return (TOKEN, STRING_START, end, (indents, delimiters, bool(flags & _FORMAT), depth, place))

    def comment_run(self, text: str, start: int) -> int:
        run = _COMMENT_RUN.match(text, start)
        return run.end() if run else start

    def shifted(self, memory: Memory, symbol: int) -> Memory:
        if not self.strict or symbol in self._extra:
            return memory
        indents, delimiters, inside_format, depth, place = memory
        change = (symbol in self._opening) - (symbol in self._closing)
        if not change and place == _MID_LINE:
            return memory
        return (indents, delimiters, inside_format, max(0, depth + change), _MID_LINE)

    def viable(self, window: Window, start: int, memory: Memory, phase: Phase) -> bool | None:
        valid = window.valid
        if phase == FRESH or phase[0] == _IN_CONTENT:
            return True
        letters = window.text[start + phase[1] : window.limit].rstrip("'\"`")  # before a quote
        if start + phase[1] < window.limit and letters[:1] != "\\":
            legal = not self.strict or _may_be_prefix(letters.lower(), memory[4])
            return True if legal and valid[STRING_START] and window.takes(STRING_START) else None
        newline = phase[2]
        return not newline or self._may_end_line(window, memory)

    def _without_string(self, memory: Memory) -> Memory:
        indents, delimiters, _, depth, place = memory
        if self.strict:
            place = _AFTER_BYTES if delimiters[-1] & _BYTES else _AFTER_TEXT
        return (indents, delimiters[:-1], False, depth, place)

    def needed_from(self, memory: Memory, phase: Phase) -> int:
        has_content = phase and phase[0] == _IN_CONTENT and phase[2]
        return phase[1] if has_content and (self.strict or memory[1][-1] & _TRIPLE) else 0

    def endings(self, memory: Memory, phase: Phase) -> list[str]:
        delimiters = memory[1]
        texts = []
        if delimiters:
            quote = closing_quote(delimiters[-1])
            texts = [quote, quote[1:], quote[2:], "x" + quote, "\n" + quote, "{", "}"]
        indents = memory[0]
        lines = ["\n" + " " * indent for indent in (*reversed(indents), indents[-1] + 4)]
        return [text for text in texts if text] + ["'", '"', "''", '""', "b''", *lines]

    def line_break(self, memory: Memory) -> str:
        # inside brackets too: where no closing bracket may follow, tree-sitter takes less indentation for a dedent
        return "\n" + " " * memory[0][-1]


def _may_be_prefix(letters: str, place: int) -> bool:
    """Whether a string's prefix can begin with these letters."""
    if place == _AFTER_TEXT and "b" in letters:
        return False
    if place == _AFTER_BYTES and "b" not in letters:
        letters += "b"
    return "".join(sorted(letters)) in _LEGAL_PREFIXES


def _raw_escape_length(following: str, quote: str, at_end: bool) -> int:
    """How many characters after a raw string's backslash the scanner steps over; -1: not yet known."""
    if not following:
        return 0 if at_end else -1
    length = 1 if following[0] in (quote, "\\") else 0
    newline = following[length : length + 2]
    if newline[:1] == "\r":
        if len(newline) < 2 and not at_end:
            return -1
        return length + (2 if newline == "\r\n" else 1)
    if not newline and not at_end:
        return -1
    return length + (newline[:1] == "\n")
