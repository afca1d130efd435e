from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core_model.block_manager import BlockManager, Root
from core_model.kv_cache import BLOCK

BASE: Root = (None, 0, 0, "")
A, B, C = ([n] * BLOCK for n in (1, 2, 3))


def store(manager: BlockManager, tokens: list[int], root: Root = BASE) -> list[int]:
    """Own blocks for `tokens` (whole blocks) as a sequence does: reuse what is there, fill the rest."""
    blocks = manager.match(root, tokens)
    for index in range(len(blocks), len(tokens) // BLOCK):
        blocks.append(manager.allocate())
        previous = blocks[index - 1] if index else None
        manager.register(root, previous, blocks[index], tokens[index * BLOCK : (index + 1) * BLOCK])
    return blocks


def test_equal_beginnings_share_blocks() -> None:
    manager = BlockManager(8)
    first = store(manager, A + B)
    assert store(manager, A + C)[0] == first[0]
    assert manager.free == 5


def test_equal_tokens_after_another_beginning_are_not_shared() -> None:
    manager = BlockManager(8)
    store(manager, A + B)
    assert manager.match(BASE, C + B) == []


def test_adapters_and_windows_share_nothing() -> None:
    manager = BlockManager(8)
    store(manager, A)
    assert manager.match(("other", 0, 0), A) == []
    assert manager.match((None, 64, 0), A) == []


def test_released_blocks_are_found_again_until_they_are_needed() -> None:
    manager = BlockManager(2)
    for block in reversed(store(manager, A + B)):
        manager.release(block)
    assert len(manager.match(BASE, A + B + C)) == 2
    with pytest.raises(IndexError):
        manager.allocate()


def test_the_content_of_a_forgotten_adapter_is_not_found() -> None:
    manager = BlockManager(8)
    for root in (("tea", 0, 0, ""), ("tea", 64, 0, ""), BASE):
        store(manager, A + B, root)
    manager.forget("tea")
    assert manager.match(("tea", 0, 0, ""), A) == manager.match(("tea", 64, 0, ""), A) == []
    assert len(manager.match(BASE, A + B)) == 2


@given(st.lists(st.tuples(st.lists(st.integers(0, 2), min_size=1, max_size=4), st.booleans()), max_size=40))
@settings(max_examples=200, deadline=None)
def test_whatever_comes_and_goes_a_match_holds_the_very_tokens(script: list[tuple[list[int], bool]]) -> None:
    manager = BlockManager(12)
    written: dict[int, tuple[int, ...]] = {}  # block → all tokens up to its end, when it was last filled
    held: list[list[int]] = []
    for kinds, keep in script:
        tokens = [kind for kind in kinds for _ in range(BLOCK)]
        matched = len(manager.match(BASE, tokens))
        for block in manager.match(BASE, tokens):
            manager.release(block)
            manager.release(block)
        if manager.free < len(kinds) and held:
            for block in held.pop(0):
                manager.release(block)
        if manager.free < len(kinds):
            continue
        blocks = store(manager, tokens)
        for index, block in enumerate(blocks):
            beginning = tuple(tokens[: (index + 1) * BLOCK])
            if index < matched and block in written:
                assert written[block] == beginning
            written[block] = beginning
        if keep and len(held) < 2:
            held.append(blocks)
        else:
            for block in blocks:
                manager.release(block)
    for blocks in held:
        for block in blocks:
            manager.release(block)
    assert manager.free == 12
