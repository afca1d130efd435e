"""What the shop's policy says in each language: the values that sentences and the handbook fill in."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from decimal import Decimal
from functools import cache

from apps.support.errors import WordsError
from apps.support.shop.models import OrderStatus
from apps.support.shop.money import format_amount, minor_digits
from apps.support.shop.policy import Deed, Policy
from apps.support.words import PLACEHOLDER, listing, words_of

_DEEDS: tuple[Deed, ...] = ("cancel", "change", "address", "payment", "return", "exchange")


@cache
def policy_words(policy: Policy, language: str) -> Mapping[str, str]:
    """The policy's figures and choices by the name of their placeholder."""
    counts = {
        "return_days": policy.returns.days,
        "refund_days_min": policy.refunds.days_min,
        "refund_days_max": policy.refunds.days_max,
        "complaint_days": policy.complaints.answer_days,
        "kept_hours": policy.payment.kept_hours,
        "reservation_days": policy.payment.reservation_days,
        "invoice_address_days": policy.payment.invoice_address_days,
        "late_after_days": policy.delivery.late_after_days,
        "enquiry_days": policy.delivery.enquiry_days,
        "review_days": policy.service.review_days,
        "sign_up_hours": policy.account.sign_up_hours,
        "password_minutes": policy.account.password_minutes,
        "failed_attempts": policy.account.failed_attempts,
        "locked_minutes": policy.account.locked_minutes,
        "invoice_years": policy.account.invoice_years,
        "electronics_months": policy.warranty.electronics_months,
        "furniture_months": policy.warranty.furniture_months,
        "claim_days": policy.warranty.claim_days,
        "conversation_months": policy.privacy.conversation_months,
        "privacy_days": policy.privacy.answer_days,
    }
    ranges = {
        "refund_days": (policy.refunds.days_min, policy.refunds.days_max),
        "standard_days": policy.delivery.standard_days,
        "express_days": policy.delivery.express_days,
        "abroad_days": policy.delivery.abroad_days,
    }
    prices = {
        "standard_price": policy.delivery.standard_price,
        "express_price": policy.delivery.express_price,
        "pickup_price": policy.delivery.pickup_price,
        "free_from": policy.delivery.free_from,
        "voucher": policy.newsletter.voucher,
        "voucher_from": policy.newsletter.voucher_from,
    }
    values = {name: str(count) for name, count in counts.items()}
    values |= {name: _range(low, high, language) for name, (low, high) in ranges.items()}
    values |= {name: _price(price, policy.delivery.currency, language) for name, price in prices.items()}
    values |= {
        "packed_until": policy.delivery.packed_until,
        "weekdays_from": policy.service.weekdays[0],
        "weekdays_to": policy.service.weekdays[1],
        "saturday_from": policy.service.saturday[0],
        "saturday_to": policy.service.saturday[1],
        "service_email": policy.service.email,
    }
    for deed in _DEEDS:
        allowed = policy.states.of(deed)
        values[f"{deed}_states"] = _states(allowed, language)
        others = frozenset(OrderStatus) - allowed - {OrderStatus.CANCELLED}
        values[f"no_{deed}_states"] = _states(others, language)
    choices = {
        "return_shipping": policy.returns.shipping_paid_by,
        "return_shipping_rule": policy.returns.shipping_paid_by,
        "gift_card_refund": policy.refunds.gift_card,
        "refund_periods": policy.refunds.gift_card,
        "refund_target": policy.payment.refund_to,
    }
    phrases = words_of(language).policy
    values |= {name: fill(phrases[name][choice], values) for name, choice in choices.items()}
    return values


def fill(text: str, values: Mapping[str, str]) -> str:
    """The text with each `{name}` filled in; braces around anything else stay. Raises WordsError for a name unknown."""

    def value_of(match: re.Match[str]) -> str:
        if match[1] not in values:
            raise WordsError(f"nothing is known by the name {match[0]}")
        return values[match[1]]

    return PLACEHOLDER.sub(value_of, text)


def _range(low: int, high: int, language: str) -> str:
    return str(low) if low == high else f"{low}{words_of(language).figures.ranges[0]}{high}"


def _price(price: Decimal, currency: str, language: str) -> str:
    return format_amount(int(price.scaleb(minor_digits(currency))), currency, language)


def _states(states: Iterable[OrderStatus], language: str) -> str:
    words = words_of(language)
    named = [words.status[status.value] for status in OrderStatus if status in states]
    return listing(named, language, "or")
