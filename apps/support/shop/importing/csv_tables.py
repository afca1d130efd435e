"""CSV exports → records: customers, products (a row per variant), orders (a row per item)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import groupby
from pathlib import Path
from typing import TypeVar

from apps.support.errors import ImportFileError
from apps.support.shop.changes import ShipmentChange
from apps.support.shop.importing.csv_lines import (
    CustomerLine,
    Line,
    OrderLine,
    ProductLine,
    Reading,
    layout_of,
    parse_line,
)
from apps.support.shop.importing.figures import Figures, known_currency
from apps.support.shop.importing.moments import Moments
from apps.support.shop.importing.options import ImportOptions
from apps.support.shop.importing.records import (
    CustomerRecord,
    ItemRecord,
    OrderRecord,
    PaymentRecord,
    Record,
    VariantRecord,
)
from apps.support.shop.importing.scratch import Scratch
from apps.support.shop.importing.states import order_states
from apps.support.shop.models import PaymentKind
from core_model.csv_file import CsvEncodingError, CsvFileError, Row, open_csv

NO_DATE = "0000-00-00"
"""What MySQL keeps, and shops export, where there is no date."""
OPTION_PREFIX = "option:"
OF_THE_WHOLE = ("email", "status", "currency")
"""What is the same in all rows of an order, or stands in the first of them alone, as Shopify writes it."""
L = TypeVar("L", bound=Line)
OnRow = Callable[[int], None]


class CsvTable:
    """The file's rows as records. Opening it reads it once: how figures and dates are written shows in all of them.

    Raises ImportFileError naming line and field, then and while the records are read.
    """

    def __init__(self, path: Path, options: ImportOptions) -> None:
        with _import_errors():
            self._file = open_csv(path, options.encoding)
        header = f"line {self._file.header_line}"
        self._columns = _columns(self._file.columns, header)
        separator = self._file.described_separator
        self._layout = layout_of(self._columns, separator, header, update=options.update)
        self._update = options.update
        self._reading = Reading(
            Figures(options.decimal), Moments(options.dates), order_states(options.states)
        )
        self.rows = self._learn()

    @property
    def ignored_columns(self) -> list[str]:
        read = set(self._layout.model_fields)
        named = zip(self._file.columns, self._columns, strict=True)
        return [name for name, column in named if name and column not in read and not self._is_option(column)]

    def _is_option(self, column: str) -> bool:
        return self._layout is ProductLine and column.startswith(OPTION_PREFIX)

    def _learn(self) -> int:
        """Let figures and dates tell how they are written; the number of rows."""
        layout, count = self._layout, 0
        for number, row in self._rows():
            place, count = f"line {number}", count + 1
            currency = row.get("currency", "").strip().upper()
            if layout.FIGURE in row and known_currency(currency):
                self._reading.figures.learn(row[layout.FIGURE], currency, place, layout.FIGURE)
            for field in layout.DATES:
                if field in row:
                    self._reading.moments.learn(row[field], place, field)
        return count

    def _rows(self) -> Iterator[tuple[int, Row]]:
        with _import_errors():
            for number, row in self._file.rows(self._columns):
                for field in self._layout.DATES:
                    if row.get(field, "").strip().startswith(NO_DATE):
                        del row[field]
                yield number, row

    def records(self, scratch: Scratch, on_row: OnRow) -> Iterator[Record]:
        """`on_row` hears of each row that was read. Rows of one order may stand anywhere in the file."""
        if self._layout is OrderLine:
            yield from self._orders(scratch, on_row)
        elif self._layout is ProductLine:
            for place, product, row in self._lines(ProductLine, on_row):
                yield _variant(product, row, place)
        else:
            for place, customer, _row in self._lines(CustomerLine, on_row):
                yield _customer(customer, place)

    def _lines(self, layout: type[L], on_row: OnRow) -> Iterator[tuple[str, L, Row]]:
        for done, (number, row) in enumerate(self._rows(), start=1):
            yield f"line {number}", self._line(layout, f"line {number}", row), row
            on_row(done)

    def _line(self, layout: type[L], place: str, row: Row) -> L:
        line = parse_line(layout, row, place, self._reading)
        if not self._update:
            line.require(place)
        return line

    def _orders(self, scratch: Scratch, on_row: OnRow) -> Iterator[Record]:
        for done, (number, row) in enumerate(self._rows(), start=1):
            scratch.keep(row.get(OrderLine.KEY, "").strip().lstrip("# ").upper(), number, row)
            on_row(done)
        for _key, rows in groupby(scratch.kept(), key=lambda kept: kept[0]):
            places = [(f"line {number}", row) for _key, number, row in rows]
            whole = {name: places[0][1][name] for name in OF_THE_WHOLE if name in places[0][1]}
            yield _order([(place, self._line(OrderLine, place, whole | row)) for place, row in places])


@contextmanager
def _import_errors() -> Iterator[None]:
    try:
        yield
    except CsvEncodingError as error:
        raise ImportFileError(f"{error.problem}, as --encoding cp1252", row=error.row) from error
    except CsvFileError as error:
        raise ImportFileError(error.problem, row=error.row) from error


def _columns(header: tuple[str, ...], row: str) -> tuple[str, ...]:
    """The names in small letters, spaces and hyphens as underscores; an option keeps the writing of its name."""
    columns = []
    for name in header:
        prefix, colon, option = name.partition(":")
        if f"{prefix.strip().lower()}{colon}" == OPTION_PREFIX:
            columns.append(OPTION_PREFIX + option.strip())
        else:
            columns.append("_".join(name.lower().replace("-", " ").split()))
        if columns[-1] and columns.count(columns[-1]) > 1:
            raise ImportFileError(f"the column {columns[-1]!r} stands twice in the header", row=row)
    return tuple(columns)


def _variant(line: ProductLine, row: Row, place: str) -> VariantRecord:
    options = {
        name.removeprefix(OPTION_PREFIX): value.strip()
        for name, value in row.items()
        if name.startswith(OPTION_PREFIX)
    }
    return VariantRecord(place=place, options=options or None, **line.model_dump(exclude_none=True))


def _customer(line: CustomerLine, place: str) -> CustomerRecord:
    own = line.model_dump(include={"email", "name", "phone", "language", "newsletter"})
    return CustomerRecord(place=place, address=line.address, **own)


def _order(lines: list[tuple[str, OrderLine]]) -> OrderRecord:
    """The order whose rows these are; what belongs to all of it must be the same in each."""
    place, first = lines[0]
    record = OrderRecord(
        place=place,
        number=first.order_number,
        email=first.email,
        status=first.status,
        currency=first.currency,
        placed_at=first.placed_at,
        address=first.address,
    )
    parcels: dict[str | None, ShipmentChange] = {}
    rows: dict[OrderLine, str] = {}
    for row, line in lines:
        if line in rows:
            problem = f"is the same as {rows[line]}: of two alike write one, with their quantity together"
            raise ImportFileError(problem, row=row)
        rows[line] = row
        for field in OF_THE_WHOLE:
            if getattr(line, field) != getattr(first, field):
                raise ImportFileError(
                    f"differs from the first row of order {first.order_number}", row=row, field=field
                )
        if line.sku is not None and line.quantity is not None and line.unit_price is not None:
            item = ItemRecord(
                place=row,
                sku=line.sku,
                quantity=line.quantity,
                unit_price=line.unit_price,
                tracking_number=line.tracking_number,
            )
            record.items.append(item)
        parcel = _parcel(line)
        if parcel is not None:
            parcels.setdefault(parcel.tracking_number, parcel)
    record.shipments = list(parcels.values())
    total = sum(item.quantity * item.unit_price for item in record.items)
    record.payments = [PaymentRecord(kind=PaymentKind.PAYMENT, amount=total)]
    return record


def _parcel(line: OrderLine) -> ShipmentChange | None:
    """The parcel that the row speaks of, if it does."""
    parcel = ShipmentChange(
        tracking_number=line.tracking_number,
        carrier=line.carrier,
        shipped_on=line.shipped_on,
        expected_on=line.expected_on,
        delivered_on=line.delivered_on,
    )
    return parcel if parcel.model_dump(exclude_none=True) else None
