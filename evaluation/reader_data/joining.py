"""The commands of a message that is put together from several."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from apps.support.reading.commands import Command
from evaluation.reader_data.noise import kept_span


def with_words(commands: Sequence[Command], text: str) -> list[Command]:
    span = " ".join(kept_span(text).split())
    return [replace(command, words=span) if command.words else command for command in commands]


def merged(commands: Sequence[Command]) -> list[Command]:
    """Two wishes of one verb are one command, as the model is to write them."""
    merged: list[Command] = []
    for command in commands:
        if command in merged:
            continue
        before = next(
            (
                c
                for c in merged
                if c.verb == command.verb
                and command.verb in ("cancel", "return", "swap")
                and _plain(c)
                and _plain(command)
                and bool(c.orders) == bool(command.orders)
            ),
            None,
        )
        if before is None:
            merged.append(command)
        else:
            joined = replace(
                before,
                orders=_union(before.orders, command.orders),
                items=_union(before.items, command.items),
            )
            merged[merged.index(before)] = joined
    return merged


def _plain(command: Command) -> bool:
    return (
        bool(command.orders or command.items)
        and not (command.alternatives or command.excluded or command.like or command.unknown or command.pick)
        and not (command.orders and command.items)
    )


def _union(first: tuple[str, ...], second: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(dict.fromkeys((*first, *second)))
