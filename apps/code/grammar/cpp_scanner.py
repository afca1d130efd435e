"""Port of tree-sitter-cpp 0.23.4's `scanner.c`: the delimiter and the content of raw strings."""

from __future__ import annotations

from apps.code.grammar.scanner import FRESH, NO_TOKEN, SUSPENDED, TOKEN, Memory, Phase, Scan, Window

_DELIMITER, _CONTENT = 0, 1
_MAX_DELIMITER = 16
_OPENING = -2
_NOT_IN_DELIMITER = frozenset("\\ \t\n\v\f\r")


class CppScanner:
    """The memory is ("",) or the delimiter of the open raw string. The phase of an opening delimiter is (_OPENING, its
    code points …); that of a content scan is (characters of the delimiter matched since the last ")" or -1, offset of
    that ")", offset to go on from)."""

    initial: Memory = ("",)

    def scan(self, window: Window, start: int, memory: Memory, phase: Phase) -> Scan:
        delimiter_valid, content_valid = window.valid
        if delimiter_valid and content_valid:
            return NO_TOKEN
        if delimiter_valid:
            return self._close(window, start, memory) if memory[0] else self._open(window, start)
        if content_valid:
            return self._content(window, start, memory, phase)
        return NO_TOKEN

    def _open(self, window: Window, start: int) -> Scan:
        i = start
        while i < window.limit:
            character = window.text[i]
            if i - start >= _MAX_DELIMITER or character in _NOT_IN_DELIMITER:
                return NO_TOKEN
            if character == "(":
                return (TOKEN, _DELIMITER, i, (window.text[start:i],)) if i > start else NO_TOKEN
            i += 1
        if window.at_end or i - start >= _MAX_DELIMITER:
            return NO_TOKEN
        return (SUSPENDED, (_OPENING, *map(ord, window.text[start:i])), None, None)

    def _close(self, window: Window, start: int, memory: Memory) -> Scan:
        delimiter = memory[0]
        known = window.text[start : min(window.limit, start + len(delimiter))]
        if not delimiter.startswith(known):
            return NO_TOKEN
        if len(known) == len(delimiter):
            return (TOKEN, _DELIMITER, start + len(delimiter), ("",))
        return NO_TOKEN if window.at_end else (SUSPENDED, (0,), None, None)

    def _content(self, window: Window, start: int, memory: Memory, phase: Phase) -> Scan:
        delimiter = memory[0]
        matched, end, resume = phase if phase else (-1, 0, 0)
        text, i = window.text, start + resume
        while i < window.limit:
            character = text[i]
            if matched >= 0:
                if matched == len(delimiter):
                    if character == '"':
                        return (TOKEN, _CONTENT, start + end, memory)
                    matched = -1
                elif character == delimiter[matched]:
                    matched += 1
                else:
                    matched = -1
            if matched == -1 and character == ")":
                end, matched = i - start, 0
            i += 1
        if window.at_end:
            return (TOKEN, _CONTENT, i, memory)
        return (SUSPENDED, (matched, end, i - start), None, None)

    def comment_run(self, text: str, start: int) -> int:
        return start  # nothing is scanned twice here

    def shifted(self, memory: Memory, symbol: int) -> Memory:
        return memory

    def viable(self, window: Window, start: int, memory: Memory, phase: Phase) -> bool | None:
        if window.valid[_CONTENT] or window.takes(_DELIMITER):
            return True
        return None

    def needed_from(self, memory: Memory, phase: Phase) -> int:
        if len(phase) < 3 or phase[0] == _OPENING:
            return 0
        matched, end, resume = phase
        return end if matched >= 0 else resume

    def endings(self, memory: Memory, phase: Phase) -> list[str]:
        if len(phase) > 1 and phase[0] == _OPENING:
            return [f'(){"".join(map(chr, phase[1:]))}"']
        if phase == FRESH or len(phase) == 3:
            return [f'){memory[0]}"']
        return ['x()x"', '()"', *(memory[0][i:] + '"' for i in range(len(memory[0])))]

    def line_break(self, memory: Memory) -> str:
        return "\n"
