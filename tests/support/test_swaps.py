"""Another option for an item: which one is meant, what it costs, and what is asked where it is not clear."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from apps.support.playbooks.options import MOST_LISTED, can_have, fits, select_variant
from apps.support.reading.choices import OptionTable, Wanted
from apps.support.reading.grammar import choice_grammar
from apps.support.shop.models import Order, OrderItem, Product, ReturnKind, Variant
from core_model.guidance import matches
from tests.support.conftest import OpenChat
from tests.support.small_shop import Chat, order_of


def keyboard(chat: Chat, *values: str) -> str:
    """The letters of the keyboard's values; PostgreSQL has the options in another order."""
    with chat.database.read() as session:
        product = session.scalars(select(Product).where(Product.name == "Mechanical Keyboard")).one()
        table = OptionTable.of(product.name, [variant.options for variant in product.variants], {})
    by_value = {value: letter for letter, (_, value) in table.letters.items()}
    return " ".join(by_value[value] for value in values)


def test_a_pending_item_is_changed_and_the_difference_paid(any_chat: OpenChat) -> None:
    chat = any_chat()
    asked = chat(f"swap a | {keyboard(chat, 'linear')}")
    assert "linear" in asked.reply
    assert "RGB" in asked.reply
    assert "It costs $15.00 more, paid with the Visa card ending in 4242." in asked.reply
    chat("yes")
    order = order_of(chat.database, "1002")
    assert order.items[0].options == {"switch type": "linear", "backlight": "RGB"}
    assert order.total == 29000 + 1500


def test_a_cheaper_option_gives_the_difference_back(any_chat: OpenChat) -> None:
    chat = any_chat()
    assert "It costs $10.00 less: that goes back" in chat("swap b | b").reply
    chat("yes")
    assert order_of(chat.database, "1002").total == 28000
    assert chat("sum").reply == "Altogether $10.00 goes back to you."


def test_a_delivered_item_is_exchanged(any_chat: OpenChat) -> None:
    chat = any_chat()
    assert chat("swap f | b").actions == [{"name": "exchange", "status": "proposed"}]
    chat("yes")
    (back,) = order_of(chat.database, "1001").returns
    assert back.kind == ReturnKind.EXCHANGE
    assert back.items[0].replacement.options == {"color": "green"}
    assert order_of(chat.database, "1001").total == 6000 + 900 + 4000


def test_several_items_change_each_to_its_own_option_with_one_yes(any_chat: OpenChat) -> None:
    chat = any_chat()
    asked = chat(f"swap a b | Mechanical Keyboard: {keyboard(chat, 'tactile', 'none')} / Smart Thermostat: b")
    assert [action["name"] for action in asked.actions] == ["change_item", "change_item"]
    chat("yes")
    first, second = order_of(chat.database, "1002").items
    assert first.options == {"switch type": "tactile", "backlight": "none"}
    assert second.options == {"compatibility": "Google Home"}


def test_a_correction_changes_the_proposed_option_and_keeps_the_rest_of_it(chat: OpenChat) -> None:
    conversation = chat()
    conversation(f"swap a | {keyboard(conversation, 'tactile')}")
    corrected = conversation(f"swap a | {keyboard(conversation, 'none')}")
    assert "tactile, none" in corrected.reply
    joined = conversation("swap a b | Smart Thermostat: b")
    assert "tactile, none" in joined.reply
    assert "Google Home" in joined.reply


def test_what_is_unclear_is_asked_with_every_option_that_fits(chat: OpenChat) -> None:
    conversation = chat()
    asked = conversation("swap a")
    assert len(asked.choices) == 8
    assert "clicky, white ($5.00 more)" in asked.reply
    chosen = conversation("swap a | nth 2")
    assert asked.choices[1].label in chosen.reply


def test_a_list_says_how_many_more_there_are(chat: OpenChat) -> None:
    conversation = chat()
    with conversation.database.write() as session:
        product = session.scalars(select(Product).where(Product.name == "Mug")).one()
        product.variants += [
            Variant(sku=f"m{n}", options={"color": f"tint {n}"}, price=2000, currency="USD", available=True)
            for n in range(15)
        ]
    assert conversation("swap c").reply.endswith("and 7 more.")
    assert "and 8 more" in conversation("product Mug").reply
    asked = conversation("swap c")
    assert len(asked.choices) == MOST_LISTED


def test_where_nothing_fits_the_nearest_are_named_with_their_difference(chat: OpenChat) -> None:
    conversation = chat()
    with conversation.database.write() as session:
        gone = session.scalars(select(Variant).where(Variant.sku == "Mechanical Keyboard-8")).one()
        gone.available, gone.stock = False, 0
    answer = conversation(f"swap a | {keyboard(conversation, 'tactile', 'none')}")
    assert answer.actions == []
    assert "is not available like that" in answer.reply
    assert "tactile, RGB ($30.00 more)" in answer.reply
    assert len(answer.choices) == 3


def test_the_same_again_is_sent_while_it_is_in_stock(chat: OpenChat) -> None:
    conversation = chat()
    same = conversation("swap f | same")
    assert same.actions == [{"name": "exchange", "status": "proposed"}]
    assert "The price stays the same." in same.reply
    with conversation.database.write() as session:
        session.scalars(select(Variant).where(Variant.sku == "Mug-1")).one().stock = 0
    gone = conversation("no; swap f | same")
    assert "sold out at the moment" in gone.reply


def test_the_option_that_it_has_is_no_change(chat: OpenChat) -> None:
    conversation = chat()
    for letter in ("c", "c any"):
        answer = conversation(f"swap c | {letter}")
        assert answer.actions == []
        assert "is that one already" in answer.reply


def test_like_another_item_of_the_customer(chat: OpenChat) -> None:
    assert "Mug" in chat()("swap c like f").reply
    assert "blue" in chat()("swap c like f").reply


def test_what_the_shop_lists_no_more_is_not_exchanged(chat: OpenChat) -> None:
    conversation = chat()
    with conversation.database.write() as session:
        query = select(OrderItem).join(Order).where(Order.number == "1007")
        session.scalars(query).one().variant = None
    assert "no longer in our range" in conversation("swap c | a").reply


VALUES = {"color": ("red", "blue", "green"), "size": ("S", "M", "L")}


@st.composite
def shelves(draw: st.DrawFn) -> list[Variant]:
    options = [{"color": color, "size": size} for color in VALUES["color"] for size in VALUES["size"]]
    kept = draw(st.lists(st.sampled_from(options), min_size=1, unique_by=lambda o: tuple(o.values())))
    return [
        Variant(
            id=number,
            sku=str(number),
            options=option,
            price=draw(st.sampled_from([900, 1000, 1100, 1200])),
            currency="USD",
            available=draw(st.booleans()),
            stock=draw(st.sampled_from([None, 0, 1, 5])),
        )
        for number, option in enumerate(kept, start=1)
    ]


def some_values() -> st.SearchStrategy[Mapping[str, tuple[str, ...]]]:
    of_each = {name: st.lists(st.sampled_from(v), min_size=1, unique=True) for name, v in VALUES.items()}
    return st.fixed_dictionaries({}, optional=of_each).map(
        lambda found: {name: tuple(values) for name, values in found.items()}
    )


wishes = st.builds(
    Wanted,
    values=some_values(),
    excluded=some_values(),
    pick=st.sampled_from([None, "cheapest", "dearest"]),
    same=st.booleans(),
    any=st.booleans(),
    place=st.sampled_from([None, 1, 2, 9, -1]),
    price=st.sampled_from([None, "9", "9.00", "10.00", "1.00", "x"]),
)


@settings(max_examples=300, deadline=None)
@given(shelves(), wishes, st.data())
def test_what_is_clear_is_what_was_wished_and_can_be_had(
    variants: list[Variant], wanted: Wanted, data: st.DataObject
) -> None:
    present = data.draw(st.none() | st.sampled_from(variants))
    quantity = data.draw(st.integers(1, 3))
    listed = data.draw(st.lists(st.sampled_from([v.id for v in variants]), unique=True))
    base = present.options if present is not None else None
    paid = present.price if present is not None else None
    found = select_variant(
        variants, wanted, present=present, base=base, paid=paid, quantity=quantity, listed=listed
    )
    every = (*found.fitting, *found.nearest)
    assert all(can_have(variant, quantity) for variant in every)
    chosen = found.one
    if found.is_clear:
        assert chosen is not None
    if chosen is None:
        return
    if wanted.same:
        assert chosen is present
        return
    assert chosen is not present
    if wanted.place is not None and listed:
        assert chosen.id == (listed[-1] if wanted.place < 0 else listed[wanted.place - 1])
        return
    assert fits(chosen, wanted)
    if wanted.price is not None:
        differences = {chosen.price, abs(chosen.price - paid) if paid is not None else chosen.price}
        assert round(float(wanted.price) * 100) in differences
    elif wanted.pick is not None:
        others = [v for v in variants if can_have(v, quantity) and v is not present and fits(v, wanted)]
        best = min if wanted.pick == "cheapest" else max
        assert chosen.price == best(v.price for v in others)


@settings(max_examples=200, deadline=None)
@given(shelves(), st.data())
def test_every_choice_that_the_constraint_lets_through_is_understood(
    variants: list[Variant], data: st.DataObject
) -> None:
    table = OptionTable.of("Mug", [v.options for v in variants], variants[0].options)
    word = st.sampled_from([*table.letters, "cheapest", "dearest", "same", "any", "last", "nth 2", "not"])
    text = " ".join(data.draw(st.lists(word, min_size=1, max_size=5))) + data.draw(
        st.sampled_from(["", " price 12.50"])
    )
    message = "for 12.50 please"
    if matches(choice_grammar(table, message), text):
        wanted = table.parse(text)
        assert text == "none" or not wanted.says_nothing or text == "any"
        for option, values in [*wanted.values.items(), *wanted.excluded.items()]:
            assert set(values) <= set(table.options[option])


def test_a_table_gives_every_value_a_letter_in_its_natural_order() -> None:
    table = OptionTable.of("Disk", [{"size": size} for size in ("10 GB", "2 TB", "500 GB")], {"size": "2 TB"})
    assert table.letters == {"a": ("size", "10 GB"), "b": ("size", "500 GB"), "c": ("size", "2 TB")}
    assert table.render("the smallest, please") == (
        "Disk now: c\nsize: a 10 GB, b 500 GB, c 2 TB\n> the smallest, please\n="
    )
    assert table.parse("a b not c").values == {"size": ("10 GB", "500 GB")}
    assert table.parse("a b not c").excluded == {"size": ("2 TB",)}


@pytest.mark.parametrize("text", ["z", "nth", "price", "cheap", "a ; b"])
def test_what_is_no_choice_is_refused(text: str) -> None:
    table = OptionTable.of("Mug", [{"color": "red"}], {})
    assert not matches(choice_grammar(table, "12.50"), text)
    with pytest.raises(ValueError, match="no choice"):
        table.parse(text)


def test_an_option_with_too_many_values_has_no_letters() -> None:
    variants: Sequence[Mapping[str, object]] = [{"color": "red", "number": n} for n in range(80)]
    assert list(OptionTable.of("Thing", variants, {}).options) == ["color"]


@pytest.mark.parametrize(
    ("message", "closed"),
    [
        ("no I'm after 15 inch, 1tb ssd", {"13-inch", "17-inch", "512GB SSD"}),
        ("the Wi-Fi + Cellular one", {"Wi-Fi"}),
        ("Wi-Fi", set()),
        ("L, not the 17-inch", {"M", "XL"}),
        ("9 or 1.5 L, no extras", {"8"}),
        ("an eight please", set()),
        ("no, it should not be waterproof", set()),
    ],
)
def test_a_value_that_is_named_word_for_word_stands_against_the_others(
    message: str, closed: set[str]
) -> None:
    options = {
        "screen": ("13-inch", "15-inch", "17-inch"),
        "storage": ("512GB SSD", "1TB SSD"),
        "connectivity": ("Wi-Fi", "Wi-Fi + Cellular"),
        "size": ("M", "L", "XL"),
        "number": ("8", "9", "1.5L"),
        "waterproof": ("no", "yes"),
    }
    table = OptionTable("Thing", options, {"screen": "17-inch", "connectivity": "Wi-Fi", "waterproof": "yes"})
    wanted = {table.letters[letter][1] for letter in table.open_letters(message)}
    assert {value for values in options.values() for value in values} - wanted == closed
    grammar = choice_grammar(table, message)
    for letter, (_, value) in table.letters.items():
        assert matches(grammar, letter) == (value not in closed)
        assert matches(grammar, f"not {letter}")


@pytest.mark.parametrize(
    ("read", "message", "meant"),
    [
        (
            "a",
            "the black one, AC adapter, medium",
            {"color": ("black",), "power": ("AC adapter",), "size": ("M",)},
        ),
        ("a not d", "black, but no AC adapter", {"color": ("black",)}),
        ("same", "black again", {}),
        ("none", "the large one", {"size": ("L",)}),
        ("none", "extra large please", {"size": ("XL",)}),
        ("none", "something else", {}),
    ],
)
def test_what_is_named_word_for_word_is_wanted(
    read: str, message: str, meant: dict[str, tuple[str, ...]]
) -> None:
    variants = [
        {"color": color, "power": power, "size": size}
        for color, power, size in zip(
            ("black", "silver", "white", "white"),
            ("AC adapter", "USB", "USB", "USB"),
            ("M", "L", "XL", "S"),
            strict=True,
        )
    ]
    table = OptionTable.of("Desk Lamp", variants, {"color": "silver", "power": "USB", "size": "S"})
    assert table.completed(table.parse(read), message).values == meant
