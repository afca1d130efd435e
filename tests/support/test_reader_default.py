"""The trained reader on the default model: a few messages of each kind, read as they are meant.

How well it reads is measured by `duet eval reading`; here only what must never break.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from apps.settings import Settings
from apps.support.reading.choices import OptionTable
from apps.support.reading.reader import Reader
from apps.support.reading.view import ItemView, OrderView, View
from core_model import load_engine
from tests.conftest import DEFAULT

PENDING = OrderView(
    "P", "pending", "Austin", (ItemView("a", "Mechanical Keyboard"), ItemView("b", "Smart Thermostat"))
)
DELIVERED = OrderView("Q", "delivered", "Boston", (ItemView("c", "Pet Bed"), ItemView("d", "T-Shirt")))
VIEW = View(True, (PENDING, DELIVERED), ("visa 4242", "PayPal"), "Dover")
OPEN = View(True, (PENDING, DELIVERED), ("visa 4242", "PayPal"), "Dover", last="return c", open="return c")


@pytest.fixture(scope="module")
def reader() -> Iterator[Reader]:
    folder = Settings().adapters_dir / "support-reader"
    if not (folder / "adapter_config.json").exists():
        pytest.skip("adapters/support-reader is not trained: `duet adapters train`")
    engine = load_engine(DEFAULT)
    yield Reader.load(engine, folder)
    engine.close()


@pytest.mark.parametrize(
    ("view", "message", "commands"),
    [
        (VIEW, "please cancel order #P", "cancel P"),
        (VIEW, "Cancel #?", "cancel ?"),
        (VIEW, "where is my order #P?", "status P"),
        (VIEW, "I want to return the pet bed", "return c"),
        (VIEW, "How much is on my gift card?", "balance"),
        (View(), "where is my order?", "status"),
        (OPEN, "Yes please, go ahead", "yes"),
        (OPEN, "No, don't do that", "no"),
        (OPEN, "thx bye", "bye"),
    ],
)
def test_a_plain_message_is_read_as_it_is_meant(
    reader: Reader, view: View, message: str, commands: str
) -> None:
    assert reader.read(view, message).text == commands


@pytest.mark.parametrize(
    "message", ["no, sorry", "Then leave everything as it is, thank you", "不要了，谢谢"]
)
def test_a_no_is_never_a_yes(reader: Reader, message: str) -> None:
    assert "yes" not in {command.verb for command in reader.read(OPEN, message).commands}


def test_an_option_is_chosen_by_its_letters(reader: Reader) -> None:
    table = OptionTable.of(
        "T-Shirt", [{"color": "red"}, {"color": "blue"}, {"color": "green"}], {"color": "red"}
    )
    assert reader.choose(table, "I'd rather have it in blue").values == {"color": ("blue",)}


def test_an_address_is_copied_out_of_the_message(reader: Reader) -> None:
    given = reader.address("now send it to 445 Maple Drive, Suite 394, Fort Worth, Texas, 76165, USA please")
    assert (given.line1, given.city, given.postcode) == ("445 Maple Drive", "Fort Worth", "76165")
