"""The replies that are learnt say what the shop's policy says."""

from __future__ import annotations

import pytest

from apps.settings import Settings
from apps.support.playbooks.order_rules import refusal
from apps.support.shop.database import Database
from apps.support.shop.models import OrderStatus
from apps.support.shop.policy import load_policy
from evaluation.reply_pairs.phrasings import Phrasings
from evaluation.reply_pairs.situations import Situation
from tests.support.conftest import ANNA
from tests.support.stored import OrderOf
from tests.support.stored import order as stored


@pytest.mark.parametrize("days", [1, 14, 45])
def test_the_days_of_the_policy_are_in_the_pairs(sqlite_shop: Database, order_of: OrderOf, days: int) -> None:
    policy = load_policy()
    policy = policy.model_copy(update={"returns": policy.returns.model_copy(update={"days": days})})
    order = stored(sqlite_shop, order_of(sqlite_shop, ANNA, OrderStatus.DELIVERED))
    phrasings = Phrasings.read(Settings().adapters_dir / "support-reply", policy)
    late = refusal("return_late", order, "en", policy)
    said = phrasings.reference(Situation("en", "get_refund", "?", (late,)))
    assert said is not None
    assert f"{days} days" in said
