"""A shop of three orders in tau2-bench's layout, and tasks on it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from apps.support.shop.database import Database
from apps.support.shop.importing import import_file
from evaluation.support.tasks.task_file import Task

OAK = {
    "address1": "5 Oak Lane",
    "address2": "",
    "city": "Boston",
    "state": "MA",
    "zip": "02101",
    "country": "USA",
}
ELM = {
    "address1": "9 Elm Road",
    "address2": "Flat 2",
    "city": "Reno",
    "state": "NV",
    "zip": "89501",
    "country": "USA",
}


def _variant(sku: str, price: float, **options: str) -> dict[str, Any]:
    return {"item_id": sku, "options": options, "available": True, "price": price}


def _product(product_id: str, name: str, *variants: dict[str, Any]) -> dict[str, Any]:
    return {"product_id": product_id, "name": name, "variants": {v["item_id"]: v for v in variants}}


KETTLE = _product(
    "70", "Camping Kettle",
    _variant("k-steel", 30.0, material="steel", lid="none"),
    _variant("k-copper", 45.5, material="copper", lid="none"),
    _variant("k-lid", 33.0, material="steel", lid="hinged"),
)  # fmt: skip
TENT = _product(
    "71",
    "Tent",
    _variant("t-2", 120.0, size="2", color="green"),
    _variant("t-4", 180.0, size="4", color="green"),
)
PRODUCTS = {product["product_id"]: product for product in (KETTLE, TENT)}


def _order(number: str, status: str, address: dict[str, str], *skus: str) -> dict[str, Any]:
    known = {sku: (product, v) for product in PRODUCTS.values() for sku, v in product["variants"].items()}
    items = [
        {
            "name": known[s][0]["name"],
            "item_id": s,
            "price": known[s][1]["price"],
            "options": known[s][1]["options"],
        }
        for s in skus
    ]
    paid = {
        "transaction_type": "payment",
        "amount": sum(item["price"] for item in items),
        "payment_method_id": "card_1",
    }
    parcel = (
        [{"tracking_id": [f"77{number[-1]}000111"], "item_ids": list(skus)}] if status == "delivered" else []
    )
    return {
        "order_id": number, "user_id": "nia_1", "address": address, "items": items, "status": status,
        "fulfillments": parcel, "payment_history": [paid],
    }  # fmt: skip


SHOP = {
    "products": PRODUCTS,
    "users": {
        "nia_1": {
            "user_id": "nia_1",
            "name": {"first_name": "Nia", "last_name": "Olsen"},
            "address": OAK,
            "email": "nia@example.com",
            "payment_methods": {
                "card_1": {"id": "card_1", "source": "credit_card", "brand": "visa", "last_four": "1234"},
                "paypal_1": {"id": "paypal_1", "source": "paypal"},
                "gift_1": {"id": "gift_1", "source": "gift_card", "balance": 25.0},
            },
            "orders": ["#A1001", "#A1002", "#A1003"],
        }
    },
    "orders": {
        "#A1001": _order("#A1001", "delivered", OAK, "k-steel", "t-2"),
        "#A1002": _order("#A1002", "pending", ELM, "k-steel"),
        "#A1003": _order("#A1003", "pending", OAK, "t-4"),
    },
}


def task(*actions: tuple[str, dict[str, Any]], tell: tuple[str, ...] = (), task_id: str = "1") -> Task:
    found = ("find_user_id_by_email", {"email": "nia@example.com"})
    return Task.model_validate(
        {
            "id": task_id,
            "evaluation_criteria": {
                "actions": [{"name": name, "arguments": arguments} for name, arguments in (found, *actions)],
                "communicate_info": list(tell),
            },
        }
    )


def write_shop(folder: Path) -> Path:
    file = folder / "db.json"
    file.write_text(json.dumps(SHOP), encoding="utf-8")
    return file


@contextmanager
def open_shop(folder: Path) -> Iterator[Database]:
    database = Database(f"sqlite:///{folder}/shop.db")
    database.upgrade()
    import_file(database, write_shop(folder))
    yield database
    database.close()
