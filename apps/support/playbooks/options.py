"""Which variant of a product is meant, from what a message wants of its options."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from apps.support.playbooks.case import Case
from apps.support.reading.choices import OptionTable, Wanted
from apps.support.replies.descriptions import describe_variant
from apps.support.shop.models import Variant
from apps.support.shop.money import minor_readings

MOST_LISTED = 10


@dataclass(frozen=True)
class Selection:
    """`fitting` are the variants that can be had and fit, best first; `nearest` others, where none fits.

    `is_clear`: the first of `fitting` is the one that is meant.
    """

    fitting: tuple[Variant, ...]
    nearest: tuple[Variant, ...] = ()
    is_clear: bool = False

    @property
    def one(self) -> Variant | None:
        return self.fitting[0] if self.is_clear and self.fitting else None


def option_table(name: str, variants: Sequence[Variant], present: Mapping[str, object]) -> OptionTable:
    return OptionTable.of(name, [variant.options for variant in variants], present)


def option_list(case: Case, variants: Sequence[Variant], price_of: Callable[[Variant], str]) -> str:
    """The options with their prices: up to ten, and how many more there are."""
    lines = [
        case.write("option_line", option=describe_variant(variant), price=price_of(variant)).text
        for variant in variants[:MOST_LISTED]
    ]
    left = len(variants) - MOST_LISTED
    if left > 0:
        lines.append(case.write("and_more", count=left).text)
    return "; ".join(lines)


def can_have(variant: Variant, quantity: int = 1) -> bool:
    return variant.available and (variant.stock is None or variant.stock >= quantity)


def select_variant(
    variants: Sequence[Variant],
    wanted: Wanted,
    *,
    present: Variant | None = None,
    base: Mapping[str, object] | None = None,
    paid: int | None = None,
    quantity: int = 1,
    listed: Sequence[int] = (),
) -> Selection:
    """The variants that a message means.

    `present` is the item's own variant, which only `same` means; `base` are the options that stay where the
    message says nothing about them; `paid` is the item's price, against which a difference may be named;
    `listed` are the ids of the variants that were shown, in their order.
    """
    had = [variant for variant in variants if can_have(variant, quantity)]
    if wanted.same:
        again = [variant for variant in had if present is not None and variant.id == present.id]
        return Selection(tuple(again), tuple(_by_closeness(had, base, present)[:3]), bool(again))
    had = [variant for variant in had if present is None or variant.id != present.id]
    if wanted.place is not None and listed:
        return _placed(had, wanted.place, listed)
    if wanted.price is not None:
        priced = [v for v in had if fits(v, wanted) and _costs(v, wanted.price, paid)]
        return Selection(tuple(priced), tuple(_by_closeness(had, base, present)[:3]), len(priced) == 1)
    fitting = [variant for variant in had if fits(variant, wanted)]
    if not fitting:
        ranked = sorted(
            had, key=lambda variant: (-_matches(variant, wanted), -_closeness(variant, base), variant.price)
        )
        return Selection((), tuple(ranked[:3]))
    if wanted.pick is not None:
        sign = 1 if wanted.pick == "cheapest" else -1
        fitting.sort(
            key=lambda variant: (sign * variant.price, _rank(variant, wanted), -_closeness(variant, base))
        )
        return Selection(tuple(fitting), is_clear=_is_first_alone(fitting, wanted, base))
    fitting.sort(key=lambda variant: (_rank(variant, wanted), -_closeness(variant, base), variant.price))
    if base is None:
        return Selection(tuple(fitting), is_clear=len(fitting) == 1)
    described = bool(wanted.values or wanted.excluded)
    free = {option for option in base if option not in wanted.values and option not in wanted.excluded}
    kept = [v for v in fitting if all(str(v.options.get(o)) == str(base[o]) for o in free)]
    if kept and wanted.values and not wanted.excluded:
        return Selection(tuple(kept), is_clear=True)
    if kept and described:
        return Selection(tuple(kept), is_clear=len(kept) == 1)
    clear = len(fitting) == 1 or (wanted.any and described)
    return Selection(tuple(fitting), is_clear=clear)


def fits(variant: Variant, wanted: Wanted) -> bool:
    """Whether the variant has one of the values of each option that is wanted, and none that is refused."""
    options = {option: str(value) for option, value in variant.options.items()}
    return all(options.get(o) in values for o, values in wanted.values.items()) and not any(
        options.get(o) in values for o, values in wanted.excluded.items()
    )


def _placed(had: Sequence[Variant], place: int, listed: Sequence[int]) -> Selection:
    number = len(listed) - 1 if place < 0 else place - 1
    if number >= len(listed):
        return Selection((), tuple(had[:3]))
    found = [variant for variant in had if variant.id == listed[number]]
    return Selection(tuple(found), tuple(had[:3]), bool(found))


def _is_first_alone(ranked: Sequence[Variant], wanted: Wanted, base: Mapping[str, object] | None) -> bool:
    """Whether prices can be compared, and none that ranks behind the first is as good as it."""
    keys = [(variant.price, _rank(variant, wanted), _closeness(variant, base)) for variant in ranked[:2]]
    return len({variant.currency for variant in ranked}) == 1 and len(set(keys)) == len(keys)


def _costs(variant: Variant, written: str, paid: int | None) -> bool:
    """Whether the price, or its difference to what was paid, is the figure as somebody writes it."""
    minor = minor_readings(written, variant.currency)
    return variant.price in minor or (paid is not None and abs(variant.price - paid) in minor)


def _rank(variant: Variant, wanted: Wanted) -> tuple[int, ...]:
    """Where the variant's values stand among those that are wanted, the preferred first."""
    return tuple(values.index(str(variant.options[option])) for option, values in wanted.values.items())


def _matches(variant: Variant, wanted: Wanted) -> int:
    options = {option: str(value) for option, value in variant.options.items()}
    right = sum(options.get(option) in values for option, values in wanted.values.items())
    return right - sum(options.get(option) in values for option, values in wanted.excluded.items())


def _closeness(variant: Variant, base: Mapping[str, object] | None) -> int:
    """How many options are as in `base`."""
    return sum(str(variant.options.get(option)) == str(value) for option, value in (base or {}).items())


def _by_closeness(
    variants: Iterable[Variant], base: Mapping[str, object] | None, present: Variant | None
) -> list[Variant]:
    others = [variant for variant in variants if present is None or variant.id != present.id]
    return sorted(others, key=lambda variant: (-_closeness(variant, base), variant.price))
