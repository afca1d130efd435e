"""The parts of a postal address in a message: a third kind of reading.

```
address
> please send it to 445 Maple Drive, Suite 394, Fort Worth, Texas, 76165, USA
=445 Maple Drive | Suite 394 | Fort Worth | Texas | 76165 | USA
```
Every part is copied from the message; a part that it lacks is "-".
"""

from __future__ import annotations

from apps.support.reading.view import PROMPT_END, message_line
from apps.support.shop.models import Address

PARTS = ("line1", "line2", "city", "region", "postcode", "country")
MISSING = "-"
JOINT = " | "


def render(message: str) -> str:
    """The reader's prompt."""
    return f"address\n> {message_line(message)}{PROMPT_END}"


def write(address: Address) -> str:
    """As the model writes it."""
    return JOINT.join(getattr(address, part) or MISSING for part in PARTS)


def parse(text: str) -> Address:
    """What `write` wrote. Raises ValueError for anything else."""
    parts = [part.strip() for part in text.split("|")]
    if len(parts) != len(PARTS):
        raise ValueError(f"{text!r} has no {len(PARTS)} parts")
    return Address(*("" if part == MISSING else part for part in parts))
