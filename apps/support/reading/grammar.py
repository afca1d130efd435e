"""The reader's constraint: only commands of the language, handles of the view and words of the message.

What may be written is one regular expression, put together for one view and message in llguidance's notation.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable

from apps.support.reading import postal
from apps.support.reading.choices import KEYWORDS, OptionTable
from apps.support.reading.commands import INTENTS, OUT_OF_SCOPE, TOPICS, VERBS, Shape
from apps.support.reading.view import View, message_line
from core_model.guidance import GuidedText
from core_model.tokenizer import Tokenizer

_PICK = '"cheapest" | "dearest"'


class WithinGrammar(GuidedText):
    """The constraint that the text is of a grammar of this module."""

    growth = 4  # a word that is begun, and the parts of an address that are still missing

    def __init__(self, grammar: str, tokenizer: Tokenizer) -> None:
        super().__init__(tokenizer, grammar, "the reader's language", endings=b"|- ")


def commands_grammar(view: View, message: str, intent: str | None = None) -> str:
    """All that a message may be read as, given what there is; with `intent` the one command that has it."""
    verbs = [v for v in VERBS if intent in (None, OUT_OF_SCOPE if v == "none" else INTENTS.get(v))]
    topics = [topic for topic in TOPICS if intent in (None, INTENTS.get(f"ask {topic}"))]
    following = {
        Shape.NOTHING: "",
        Shape.ORDERS: f"({_orders(view)})?",
        Shape.ITEMS: f"({_items(view)})?",
        Shape.PLACE: f"({_orders(view)})? ({_place(view)})?",
        Shape.METHOD: f"({_method(view)})?",
        Shape.WORDS: '(" " COPIED)?',
    }
    commands = [f'"{verb}" {following[VERBS[verb]]}' for verb in verbs if verb != "ask"]
    commands += [f'"ask {topic}"' for topic in topics]
    more = '("; " COMMAND)*' if intent is None else ""
    return _grammar(f"COMMAND {more}", message, f"COMMAND: {' | '.join(commands)}")


def choice_grammar(table: OptionTable, message: str) -> str:
    """All that may be wanted of a product's options."""
    wanted = [f"({_one_of(KEYWORDS)})", '"nth " /[1-9]+/']
    prices = re.findall(r"\d(?:[\d.,]*\d)?", message_line(message), re.ASCII)
    if prices:
        wanted.append(f'"price " ({_one_of(prices)})')
    if table.letters:
        refused = f'"not " {_list("".join(table.letters))}'
        wanted += [f'{_list(table.open_letters(message))} (" " {refused})?', refused]
    return _grammar('WANTED (" " WANTED)* | "none"', message, f"WANTED: {' | '.join(wanted)}")


def address_grammar(message: str) -> str:
    """Six parts, each copied or missing."""
    part = f'(COPIED | "{postal.MISSING}")'
    return _grammar(f' "{postal.JOINT}" '.join([part] * len(postal.PARTS)), message)


def _grammar(text: str, message: str, *terminals: str) -> str:
    """`text` with the rules that it needs. COPIED: a run of words of the message, in Chinese of characters."""
    chunks = json.dumps({"substring_chunks": _chunks(message_line(message))})
    copied = [f"RUN: %regex {chunks}", r"COPIED: RUN & /[^ ](.*[^ ])?/"]
    return "\n".join(["start: TEXT", f"TEXT: {text}", *terminals, *copied])


def _orders(view: View) -> str:
    listed = f"| {_list(view.order_handles)} | {_list(view.order_handles, ' or ')}" if view.orders else ""
    return f'" " ("?" {listed})'


def _items(view: View) -> str:
    if not view.item_handles:
        return f'" " ("?" | {_PICK})'
    orders, items = _list(view.order_handles), _list(view.item_handles)
    ways = [
        '"?"',
        _PICK,
        f'({orders} " ")? {items} (" like " /[{view.item_handles}]/)?',
        f'{_list(view.item_handles, " or ")} (" " ({_PICK}))?',
        f'{orders} (" " ({_PICK}) | " not " {items})?',
    ]
    return f'" " ({" | ".join(ways)})'


def _place(view: View) -> str:
    """`readdress P to home`, `home to Q`; the account has one address, an order's change names the order."""
    return f'" to " ({_one_of(["given", "home", *view.order_handles])})'


def _method(view: View) -> str:
    handles = view.method_handles
    listed = f"| {_list(handles)} | {_list(handles, ' or ')}" if handles else ""
    method = f'(" " | " with ") ("?" {listed})'
    return f'(" " {_list(view.order_handles)})? ({method})?' if view.orders else method


def _list(handles: str, joint: str = " ") -> str:
    """One or more of the handles, `joint` between them."""
    return f"/[{handles}]({joint}[{handles}])*/"


def _one_of(texts: Iterable[str]) -> str:
    return " | ".join(json.dumps(text) for text in texts)


def _chunks(line: str) -> list[str]:
    """The message in pieces: words, and whatever stands between them character by character."""
    return re.findall(r"(?:(?![\u3400-\u9fff])[^\W_])+|.", line)
