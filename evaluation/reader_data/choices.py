"""Messages about the options of a product, and which of them is wanted."""

from __future__ import annotations

import re

from apps.support.reading.choices import OptionTable
from evaluation.reader_data.catalog import Product
from evaluation.reader_data.drawing import Drawing, UnfitError

_DEAREST = re.compile(
    r"expensive|dear|pric(?:e|i)est|pricey|best|premium|top|highest|deluxe|fanc|luxur"
    r"|most money|costs? (?:the )?most|贵|貴|最好|高",
    re.I,
)
_CHEAPEST = re.compile(
    r"cheap|least|lowest|afford|inexpensive|budget|economical|less|save|便宜|划算|最低|省", re.I
)

_BARE_ITEM = re.compile(r"\b(?:the|my) \{item\}")
TOLD, SEVERAL = 0.2, 0.4
"""How many items are told by an option that they have; how many wishes for another option are about several."""


def is_dearest(text: str) -> bool:
    """Whether a message of a kind with two ends asks for the dear one."""
    return _CHEAPEST.search(text) is None and _DEAREST.search(text) is not None


def choice_of(
    drawing: Drawing, kind: str, product: Product, present: dict[str, str], table: OptionTable
) -> tuple[str, str] | None:
    """A message about the options of one product and what it wants of them; None where the kind does not fit."""
    rng, language = drawing.rng, drawing.language
    letters = {pair: letter for letter, pair in table.letters.items()}
    many = [option for option, values in table.options.items() if len(values) > 1]
    name = product.called(language, rng)
    if table.present and language == "en" and _BARE_ITEM.search(drawing.wording.text) and rng.random() < TOLD:
        own = rng.choice(list(table.options))
        name = f"{drawing.say_value(own, present[own])} {name}"
    drawing.slots |= {
        "item": name,
        "product": name,
        "order": "#P",
        "item2": rng.choice(drawing.catalog.products).called(language, rng),
    }
    pick = "dearest" if is_dearest(drawing.wording.text) else "cheapest"
    shown = kind.rpartition(".")[2]
    if shown in ("item", "bare", "number", "two", "price", "stock", "count", "it") and kind != "option.price":
        if drawing.has("new") or drawing.has("options"):
            shown = "new"
        else:
            return _filled_choice(drawing, "none")
    if shown == "cheapest" and kind != "swap.cheapest":
        return _filled_choice(drawing, pick)
    if shown in ("cheapest", "dearest"):
        return _filled_choice(drawing, shown)
    if shown == "same":
        return _filled_choice(drawing, "same")
    if kind == "option.any":
        return _filled_choice(drawing, "any")
    if shown == "nth":
        place = place_in(drawing.wording.text)
        return None if place is None else _filled_choice(drawing, place)
    if kind == "option.price":
        amount = f"{rng.randrange(5, 900)}.{rng.randrange(100):02d}"
        drawing.slots["price"] = rng.choice(
            (f"${amount}", amount, f"{amount}", f"{amount} dollars" if language == "en" else f"{amount}元")
        )
        return _filled_choice(drawing, f"price {amount}")
    if not many:
        return None
    option = rng.choice(many)
    others = [value for value in table.options[option] if value != present[option]]
    new = rng.choice(others)
    drawing.slots["new"] = drawing.say_value(option, new)
    drawing.slots["old"] = drawing.say_value(option, present[option])
    if shown in ("like", "keep"):
        return None
    wanted = {option: new}
    if shown in ("new", "instead") and kind != "option.new" and len(many) > 1 and rng.random() < SEVERAL:
        changed = rng.sample(many, rng.randint(2, len(many)))
        wanted = {o: rng.choice([v for v in table.options[o] if v != present[o]]) for o in changed}
        drawing.slots["new"] = drawing.describe(wanted)
        drawing.slots["old"] = drawing.describe({o: present[o] for o in changed})
    if shown == "bigger":
        return _compared(drawing, table, present, letters)
    if kind == "option.not":
        return _filled_choice(drawing, f"not {letters[option, present[option]]}")
    if shown == "prefer":
        if len(others) < 2:
            return None
        second = rng.choice([value for value in others if value != new])
        drawing.slots["new2"] = drawing.say_value(option, second)
        return _filled_choice(drawing, f"{letters[option, new]} {letters[option, second]}")
    if shown == "any":
        free = [o for o in table.options if o != option]
        if not free:
            return None
        drawing.slots["dim"] = rng.choice(free)
        return _filled_choice(drawing, f"{letters[option, new]} any")
    if shown == "cheapest_new":
        return _filled_choice(drawing, f"{pick} {letters[option, new]}")
    if drawing.has("options"):
        chosen = rng.sample(list(table.options), rng.randint(1, min(5, len(table.options))))
        values = {o: rng.choice(table.options[o]) for o in chosen}
        drawing.slots["options"] = drawing.describe(values)
        wanted = {**wanted, **values} if drawing.has("new") and shown != "two_options" else values
        if shown == "two_options":
            # Of two items in one message, the table is the first one's or the second one's.
            if rng.random() < 0.5:
                drawing.slots["item"], drawing.slots["item2"] = drawing.slots["item2"], name
                other = rng.choice(drawing.catalog.products)
                foreign = [(o, v) for o, vs in other.options.items() for v in vs]
                if not foreign:
                    return None
                drawing.slots["new"] = drawing.say_value(*rng.choice(foreign))
                wanted = values
            else:
                other = rng.choice(drawing.catalog.products)
                if not other.options:
                    return None
                drawing.slots["options"] = drawing.describe(other.variant(rng))
                wanted = {option: new}
        elif drawing.has("new") and option in values:
            return None
    elif not drawing.has("new"):
        return _filled_choice(drawing, "none")
    return _filled_choice(
        drawing, " ".join(sorted((letters[o, v] for o, v in wanted.items()), key=lambda a: (a.isupper(), a)))
    )


def place_in(text: str) -> str | None:
    """`nth 2` or `last`, where a message says a place in a list."""
    places = (
        (r"\blast\b|最后|最後", "last"),
        (r"\b(?:second|2nd|two|2)\b|第二|第2|二", "nth 2"),
        (r"\b(?:third|3rd|three|3)\b|第三|第3", "nth 3"),
        (r"\b(?:fourth|4th|four|4)\b|第四|第4", "nth 4"),
        (r"\b(?:first|1st|one|1|top)\b|第一|第1", "nth 1"),
    )
    found = [place for pattern, place in places if re.search(pattern, text, re.I)]
    return found[0] if len(found) == 1 or (found and found[-1] == "nth 1" and len(found) == 2) else None


def _compared(
    drawing: Drawing, table: OptionTable, present: dict[str, str], letters: dict[tuple[str, str], str]
) -> tuple[str, str] | None:
    """Bigger or smaller: the values on that side of the present one, the nearest first."""
    if not re.search(
        r"\b(?:bigger|larger|smaller|size up|size down|big|small|large)\b|大|小", drawing.wording.text, re.I
    ):
        return None
    for option, values in table.options.items():
        ordered = [
            value
            for value in values
            if re.match(r"\d", value) or value.upper() in ("XS", "S", "M", "L", "XL", "XXL")
        ]
        if (
            len(ordered) < 2
            or len(ordered) != len(values)
            or not re.search(
                r"size|capacity|volume|length|width|height|storage|pieces|weight|diameter", option, re.I
            )
        ):
            continue
        place = values.index(present[option])
        side = values[place + 1 :] if drawing.wording.tag == "bigger" else values[:place][::-1]
        if side:
            return _filled_choice(drawing, " ".join(letters[option, value] for value in side))
    return None


def _filled_choice(drawing: Drawing, completion: str) -> tuple[str, str] | None:
    try:
        return drawing.fill([]).text, completion
    except UnfitError:
        return None
