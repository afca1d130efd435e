"""An import of many orders into a shop that is open: how long it takes, its memory, and what conversations feel."""

from __future__ import annotations

import csv
import os
import random
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

from sqlalchemy import func, select

from apps.support.conversations import records
from apps.support.shop.database import Database
from apps.support.shop.importing import import_file
from apps.support.shop.models import Order
from evaluation.errors import DataError

PAUSE_S = 0.05
_PRODUCTS = 500
_ORDERS_PER_CUSTOMER = 5


def write_shop(folder: Path, orders: int, seed: int = 1) -> tuple[Path, Path, Path]:
    """Customers, products and orders of one to three items, as CSV files of a German shop."""
    draw = random.Random(seed)
    customers = max(1, orders // _ORDERS_PER_CUSTOMER)
    files = folder / "customers.csv", folder / "products.csv", folder / "orders.csv"
    with files[0].open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(("email", "name", "line1", "city", "postcode", "country"))
        for number in range(customers):
            writer.writerow(
                (f"c{number}@example.com", f"Customer {number}", "Hauptstr. 1", "Ulm", "89073", "DE")
            )
    with files[1].open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, delimiter=";")
        writer.writerow(("sku", "product", "price", "currency", "stock"))
        for number in range(_PRODUCTS):
            writer.writerow((f"S-{number}", f"Product {number // 3}", f"{10 + number},90", "EUR", 5))
    with files[2].open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, delimiter=";")
        writer.writerow(
            (
                *("order_number", "email", "status", "sku", "quantity", "unit_price", "currency"),
                *("placed_at", "carrier", "tracking_number", "shipped_on"),
            )
        )
        for number in range(orders):
            whole = (100_000 + number, f"c{draw.randrange(customers)}@example.com", "Fulfilled")
            sent = ("01.05.2024 10:00", "DHL", f"T{number}", "02.05.2024")
            for _ in range(draw.randint(1, 3)):
                sku = draw.randrange(_PRODUCTS)
                writer.writerow((*whole, f"S-{sku}", 1, f"{10 + sku},90", "EUR", *sent))
    return files


def import_speed(
    database: Database, folder: Path, orders: int, note: Callable[[str], None]
) -> dict[str, float]:
    """Import in a process of its own, as a shop does, while this one holds conversations as a server does.

    A conversation here is all that a turn writes and reads, without the model: it is opened, hears a message of a
    person, and is read again. Raises DataError where the import fails.
    """
    customers, products, orders_file = write_shop(folder, orders)
    import_file(database, customers)
    import_file(database, products)
    quiet = _Talking(database)
    with quiet:
        time.sleep(2)
    note("importing")
    environment = {**os.environ, "DUET_DATABASE_URL": database.url.render_as_string(hide_password=False)}
    command = [sys.executable, "-c", "from ui.cli import app; app()", "db", "import", str(orders_file)]
    talking = _Talking(database)
    with talking:
        began = time.monotonic()
        process = subprocess.Popen(
            command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
        )
        assert process.stderr is not None
        said = process.stderr.read()
        _pid, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        seconds = time.monotonic() - began
    if process.returncode:
        raise DataError(f"the import failed: {said.decode(errors='replace').strip()}")
    with database.read() as session:
        there = session.scalar(select(func.count()).select_from(Order)) or 0
    if there != orders:
        raise DataError(f"{there} of {orders} orders are there")
    if talking.error is not None:
        raise DataError(f"a conversation failed meanwhile: {talking.error}") from talking.error
    return {
        "orders": float(orders),
        "seconds": seconds,
        "cpu_seconds": used.ru_utime + used.ru_stime,
        "peak_memory_mb": used.ru_maxrss / 1024,
        "conversations_meanwhile": float(len(talking.waits_s)),
        "longest_wait_s": max(talking.waits_s),
        "longest_wait_before_s": max(quiet.waits_s),
    }


class _Talking:
    """One conversation after another, each timed, until the block is left."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self.waits_s: list[float] = []
        self.error: Exception | None = None

    def __enter__(self) -> _Talking:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        try:
            while True:
                began = time.monotonic()
                self._talk()
                self.waits_s.append(time.monotonic() - began)
                if self._stop.wait(PAUSE_S):
                    return
        except Exception as error:  # noqa: BLE001 - told by the thread that waits
            self.error = error

    def _talk(self) -> None:
        with self._database.write() as session:
            opened = records.open_conversation(session, channel="bench", language=None, trusted_email=None)
            name = opened.id
        with self._database.write() as session:
            records.say_as_agent(
                session, records.get_conversation(session, name), "Your parcel is on its way."
            )
        with self._database.read() as session:
            records.messages_of(session, name, after=0, limit=10)
