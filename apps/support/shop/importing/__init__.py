"""`duet db import`: a shop's own data, all of a file or nothing."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError

from apps.support.errors import ImportFileError
from apps.support.shop.database import Database
from apps.support.shop.importing.csv_tables import read_csv
from apps.support.shop.importing.retail_json import read_retail_json
from apps.support.shop.models import Customer, Order, Product


@dataclass(frozen=True)
class ImportReport:
    """How many rows are new, and which columns of the file meant nothing to us."""

    products: int
    customers: int
    orders: int
    ignored_columns: list[str] = field(default_factory=list)


def import_file(database: Database, path: Path) -> ImportReport:
    """Import a CSV or JSON export in one transaction. On ImportFileError nothing was written."""
    try:
        content = path.read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise ImportFileError(f"cannot read {path}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise ImportFileError(f"{path} is not UTF-8 (byte {error.start})") from error
    kind = path.suffix.lower()
    if kind not in (".json", ".csv"):
        raise ImportFileError(f"{path} is neither .json nor .csv")
    tables = (Product, Customer, Order)
    ignored: list[str] = []
    try:
        with database.write() as session:
            before = [session.scalar(select(func.count()).select_from(table)) or 0 for table in tables]
            if kind == ".json":
                read_retail_json(session, content)
            else:
                ignored = read_csv(session, content)
            session.flush()
            after = [session.scalar(select(func.count()).select_from(table)) or 0 for table in tables]
    except IntegrityError as error:
        raise ImportFileError(f"{path} contradicts itself or the database: {error.orig}") from error
    products, customers, orders = (new - old for new, old in zip(after, before, strict=True))
    return ImportReport(products, customers, orders, ignored)


__all__ = ["ImportReport", "import_file"]
