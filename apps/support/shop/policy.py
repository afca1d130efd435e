"""The shop's rules as data: how many days to return, who pays what, what may be done in which state of an order."""

from __future__ import annotations

import tomllib
from decimal import Decimal
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError, model_validator

from apps.support.errors import PolicyError, problems_of
from apps.support.shop.models import OrderStatus

PACKAGED = files("apps.support.shop") / "policy.toml"

Deed = Literal["cancel", "change", "address", "payment", "return", "exchange"]
Proof = Literal["order+email", "order+postcode", "name+postcode", "email"]
Count = Annotated[int, Field(ge=0)]
CountFrom1 = Annotated[int, Field(ge=1)]
Price = Annotated[Decimal, Field(ge=0)]
ClockTime = Annotated[str, StringConstraints(pattern=r"^([01]?\d|2[0-3]):[0-5]\d$")]
States = frozenset[OrderStatus]


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Returns(_Section):
    days: CountFrom1
    shipping_paid_by: Literal["shop", "customer"]


class DeedStates(_Section):
    """For each deed the states of an order in which the customer may ask for it; empty where never."""

    cancel: States
    change: States
    address: States
    payment: States
    return_: States = Field(alias="return")
    exchange: States

    def of(self, deed: Deed) -> States:
        found: States = getattr(self, "return_" if deed == "return" else deed)
        return found


class _Range(_Section):
    days_min: Count
    days_max: CountFrom1

    @model_validator(mode="after")
    def _in_order(self) -> _Range:
        if self.days_min > self.days_max:
            raise ValueError("days_min is more than days_max")
        return self


class Refunds(_Range):
    """Business days until the money is back."""

    gift_card: Literal["at_once", "as_others"]


class PaymentRules(_Section):
    methods_for_difference: tuple[str, ...]
    gift_card_must_cover: bool
    refund_to: Literal["original", "original_or_gift_card"]
    kept_hours: CountFrom1
    reservation_days: CountFrom1
    invoice_address_days: CountFrom1


class Identity(_Section):
    proofs: Annotated[frozenset[Proof], Field(min_length=1)]


class Complaints(_Section):
    answer_days: CountFrom1


class Delivery(_Section):
    currency: Annotated[str, StringConstraints(pattern=r"^[A-Z]{3}$")]
    standard_price: Price
    express_price: Price
    pickup_price: Price
    free_from: Price
    standard_days: tuple[CountFrom1, CountFrom1]
    express_days: tuple[CountFrom1, CountFrom1]
    abroad_days: tuple[CountFrom1, CountFrom1]
    packed_until: ClockTime
    late_after_days: CountFrom1
    enquiry_days: CountFrom1


class Service(_Section):
    weekdays: tuple[ClockTime, ClockTime]
    saturday: tuple[ClockTime, ClockTime]
    email: str
    review_days: CountFrom1


class Account(_Section):
    sign_up_hours: CountFrom1
    password_minutes: CountFrom1
    failed_attempts: CountFrom1
    locked_minutes: CountFrom1
    invoice_years: CountFrom1


class Warranty(_Section):
    electronics_months: CountFrom1
    furniture_months: CountFrom1
    claim_days: CountFrom1


class Newsletter(_Section):
    voucher: Price
    voucher_from: Price


class Privacy(_Section):
    conversation_months: CountFrom1
    answer_days: CountFrom1


class Policy(_Section):
    """One shop's rules; policy.toml explains each line."""

    returns: Returns
    states: DeedStates
    refunds: Refunds
    payment: PaymentRules
    identity: Identity
    complaints: Complaints
    delivery: Delivery
    service: Service
    account: Account
    warranty: Warranty
    newsletter: Newsletter
    privacy: Privacy

    def allows(self, deed: Deed, status: OrderStatus) -> bool:
        return status in self.states.of(deed)


def load_policy(path: Path | None = None) -> Policy:
    """The rules of the file `path`; without one the demonstration shop's. Raises PolicyError naming the line's key."""
    return _packaged() if path is None else _read(path)


@cache
def _packaged() -> Policy:
    return _read(PACKAGED)


def _read(file: Path | Traversable) -> Policy:
    try:
        return Policy.model_validate(tomllib.loads(file.read_text(encoding="utf-8")))
    except OSError as error:
        raise PolicyError(f"cannot read the policy {file}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise PolicyError(f"the policy {file} is not UTF-8 (byte {error.start})") from error
    except tomllib.TOMLDecodeError as error:
        raise PolicyError(f"the policy {file} is no TOML: {error}") from error
    except ValidationError as error:
        raise PolicyError(f"the policy {file} cannot be used: {problems_of(error)}") from error
