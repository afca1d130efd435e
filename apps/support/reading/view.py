"""What the reader is shown: the state of the conversation in a few lines, then the message.

```
P pending Austin: a Mechanical Keyboard; b Smart Thermostat
Q delivered Boston: c Pet Bed; d T-Shirt (red, M); e T-Shirt (blue, M)
pay: 1 card 4242; 2 PayPal
home: Charlotte
last: status P
open: return c
asked: return Q ?item
> the shirt as well, please
=
```
Whoever has shown no proof yet has the line `guest` in place of the orders. Every name is one line of a few
words, and the message is one line: nothing that a customer or an importer writes can look like another part.
"""

from __future__ import annotations

from dataclasses import dataclass

ORDER_HANDLES = "PQRSTUVW"
ITEM_HANDLES = "abcdefghijklmnoxyz"
METHOD_HANDLES = "123456789"
MOST_MESSAGE_CHARACTERS = 600
MOST_NAME_CHARACTERS = 60

PROMPT_END = "\n="


@dataclass(frozen=True)
class ItemView:
    handle: str
    name: str
    options: str = ""  # only where another item has the same name


@dataclass(frozen=True)
class OrderView:
    handle: str
    status: str
    city: str
    items: tuple[ItemView, ...]


@dataclass(frozen=True)
class View:
    """The state of a conversation as the reader sees it."""

    known: bool = False  # whose orders these are is proven
    orders: tuple[OrderView, ...] = ()
    methods: tuple[str, ...] = ()  # "card 4242", "PayPal"; the n-th has handle n
    home: str = ""  # the city of the account's address
    last: str = ""  # the commands of the message before
    open: str = ""  # the commands that are proposed
    asked: str = ""  # the command whose detail was asked for: "swap a ?option"
    product: str = ""  # the product that was talked about

    @property
    def order_handles(self) -> str:
        return "".join(order.handle for order in self.orders)

    @property
    def item_handles(self) -> str:
        return "".join(item.handle for order in self.orders for item in order.items)

    @property
    def method_handles(self) -> str:
        return METHOD_HANDLES[: len(self.methods)]

    def render(self, message: str) -> str:
        """The reader's prompt."""
        lines = [_order_line(order) for order in self.orders]
        if not self.known:
            lines.append("guest")
        elif not self.orders:
            lines.append("no orders")
        if self.methods:
            lines.append("pay: " + "; ".join(f"{n} {_one_line(m)}" for n, m in enumerate(self.methods, 1)))
        for name in ("home", "product", "last", "open", "asked"):
            value = getattr(self, name)
            if value:
                lines.append(f"{name}: {_one_line(value)}")
        lines.append(f"> {message_line(message)}{PROMPT_END}")
        return "\n".join(lines)


def message_line(message: str) -> str:
    """The message as one line; of a very long one, its beginning and its end."""
    line = " ".join(message.split())
    if len(line) > MOST_MESSAGE_CHARACTERS:
        half = MOST_MESSAGE_CHARACTERS // 2
        line = f"{line[:half]} … {line[-half:]}"
    return line


def _order_line(order: OrderView) -> str:
    items = "; ".join(
        f"{item.handle} {_one_line(item.name)}" + (f" ({_one_line(item.options)})" if item.options else "")
        for item in order.items
    )
    place = f" {_one_line(order.city)}" if order.city else ""
    return f"{order.handle} {order.status}{place}: {items}"


def _one_line(text: str) -> str:
    return " ".join(text.split())[:MOST_NAME_CHARACTERS]
