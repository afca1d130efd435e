"""A shop's own words for the state of an order: order_states.json, and a file of the shop's own."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from functools import lru_cache
from importlib.resources import files
from pathlib import Path

from apps.support.errors import ImportFileError
from apps.support.shop.models import OrderStatus


class OrderStates:
    """Capitals, hyphens, underscores and WooCommerce's `wc-` make no difference."""

    def __init__(self, words: Mapping[str, OrderStatus]) -> None:
        self._words = words

    def status(self, word: str) -> OrderStatus:
        """Raises ValueError with the words that are known."""
        found = self._words.get(_plain(word))
        if found is None:
            known = ", ".join(sorted(self._words))
            raise ValueError(
                f"{word!r} is no known state of an order; known are {known}. "
                '--states FILE adds your own: {"' + _plain(word) + '": "' + "|".join(OrderStatus) + '"}'
            )
        return found


def order_states(own: Path | None = None) -> OrderStates:
    """The words that come with Duet, and over them those of the shop's JSON file. Raises ImportFileError."""
    shipped = (files("apps.support.shop.importing") / "order_states.json").read_text(encoding="utf-8")
    words = {_plain(word): OrderStatus(status) for word, status in json.loads(shipped).items()}
    return OrderStates(words | (_own(own) if own is not None else {}))


def _own(path: Path) -> dict[str, OrderStatus]:
    try:
        content = json.loads(path.read_text(encoding="utf-8-sig"))
        return {_plain(word): OrderStatus(status) for word, status in content.items()}
    except OSError as error:
        raise ImportFileError(f"cannot read {path}: {error.strerror}") from error
    except (ValueError, AttributeError, TypeError) as error:
        wanted = f'{{"your word": "{"|".join(OrderStatus)}"}}'
        raise ImportFileError(f"{path} must be JSON like {wanted}: {error}") from error


@lru_cache(maxsize=1000)
def _plain(word: str) -> str:
    words = re.sub(r"[\s_-]+", " ", word.strip().casefold())
    return words.removeprefix("wc ")
