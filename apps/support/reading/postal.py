"""The parts of a postal address in a message: a third kind of reading.

```
address
> please send it to 445 Maple Drive, Suite 394, Fort Worth, Texas, 76165, USA
=445 Maple Drive | Suite 394 | Fort Worth | Texas | 76165 | USA
```
Every part is copied from the message; a part that it lacks is "-".
"""

from __future__ import annotations

from dataclasses import dataclass

from apps.support.reading.view import PROMPT_END, message_line

PARTS = ("line1", "line2", "city", "region", "postcode", "country")
MISSING = "-"
JOINT = " | "


@dataclass(frozen=True)
class GivenAddress:
    """What a message gives of an address; empty parts are not given."""

    line1: str = ""
    line2: str = ""
    city: str = ""
    region: str = ""
    postcode: str = ""
    country: str = ""

    @property
    def is_complete(self) -> bool:
        """Whether a parcel would arrive: a street, a city and a postcode."""
        return bool(self.line1 and self.city and self.postcode)

    @property
    def is_empty(self) -> bool:
        return not any(getattr(self, part) for part in PARTS)


def render(message: str) -> str:
    """The reader's prompt."""
    return f"address\n> {message_line(message)}{PROMPT_END}"


def write(address: GivenAddress) -> str:
    """As the model writes it."""
    return JOINT.join(getattr(address, part) or MISSING for part in PARTS)


def parse(text: str) -> GivenAddress:
    """What `write` wrote. Raises ValueError for anything else."""
    parts = [part.strip() for part in text.split("|")]
    if len(parts) != len(PARTS):
        raise ValueError(f"{text!r} has no {len(PARTS)} parts")
    return GivenAddress(*("" if part == MISSING else part for part in parts))
