"""What the demonstration shop sells."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product as combinations

Options = tuple[dict[str, str], ...]


@dataclass(frozen=True)
class SeedProduct:
    sku: str
    name: str
    name_zh: str
    category: str
    price: int  # US cents, the cheapest variant
    variants: Options
    description: str
    warranty_months: int = 0


def _all(**options: str) -> Options:
    """Every combination of the comma-separated values."""
    values = [choice.split(",") for choice in options.values()]
    return tuple(dict(zip(options, row, strict=True)) for row in combinations(*values))


PRODUCTS = (
    SeedProduct(
        "TSH",
        "T-Shirt",
        "T恤",
        "clothing",
        1990,
        _all(color="white,navy,green", size="S,M,L"),
        "Heavy organic cotton with a crew neck.",
    ),
    SeedProduct(
        "JKT",
        "Rain Jacket",
        "雨衣",
        "clothing",
        7990,
        _all(color="yellow,black", size="S,M,L"),
        "Waterproof shell with taped seams and a hood.",
    ),
    SeedProduct(
        "JNS",
        "Jeans",
        "牛仔裤",
        "clothing",
        5990,
        _all(color="blue,black", size="30,32,34"),
        "Straight cut, 12 oz denim.",
    ),
    SeedProduct(
        "SNK",
        "Running Shoes",
        "跑鞋",
        "shoes",
        8990,
        _all(color="grey,red", size="39,41,43"),
        "Light road shoes with a cushioned sole.",
    ),
    SeedProduct(
        "BTS",
        "Hiking Boots",
        "登山靴",
        "shoes",
        12990,
        _all(material="leather,synthetic", size="40,42,44"),
        "Ankle-high boots with a waterproof membrane.",
    ),
    SeedProduct(
        "BPK",
        "Backpack",
        "背包",
        "bags",
        6490,
        _all(color="grey,olive", capacity="20L,30L"),
        "With a padded sleeve for a 15-inch laptop.",
    ),
    SeedProduct(
        "HDP",
        "Wireless Headphones",
        "无线耳机",
        "electronics",
        12900,
        _all(color="black,white"),
        "Over-ear, noise cancelling, 30 hours of battery.",
        24,
    ),
    SeedProduct(
        "SPK",
        "Bluetooth Speaker",
        "蓝牙音箱",
        "electronics",
        4990,
        _all(color="blue,black"),
        "Splash-proof, 12 hours of battery.",
        24,
    ),
    SeedProduct(
        "KBD",
        "Mechanical Keyboard",
        "机械键盘",
        "electronics",
        9900,
        _all(switch="linear,tactile", layout="US,ISO"),
        "Tenkeyless, hot-swappable switches.",
        24,
    ),
    SeedProduct(
        "WCH",
        "Smart Watch",
        "智能手表",
        "electronics",
        17900,
        _all(color="silver,black", band="metal,silicone"),
        "Heart rate, GPS, 7 days of battery.",
        24,
    ),
    SeedProduct(
        "KTL",
        "Electric Kettle",
        "电热水壶",
        "kitchen",
        3990,
        _all(capacity="1L,1.5L", color="steel,white"),
        "Boils a litre in three minutes; dry-boil protection.",
        24,
    ),
    SeedProduct(
        "CFM",
        "Coffee Maker",
        "咖啡机",
        "kitchen",
        7490,
        _all(type="drip,espresso"),
        "With a permanent filter and a timer.",
        24,
    ),
    SeedProduct(
        "PAN",
        "Frying Pan",
        "煎锅",
        "kitchen",
        3490,
        _all(diameter="24 cm,28 cm"),
        "Forged aluminium, non-stick, for every hob.",
    ),
    SeedProduct(
        "WBT",
        "Water Bottle",
        "水杯",
        "kitchen",
        1890,
        _all(color="blue,red,steel", capacity="500ml,750ml"),
        "Double-walled steel; cold for 24 hours.",
    ),
    SeedProduct(
        "LMP",
        "Desk Lamp",
        "台灯",
        "home",
        4490,
        _all(color="white,black"),
        "Dimmable LED with a USB port.",
        24,
    ),
    SeedProduct(
        "CHR",
        "Office Chair",
        "办公椅",
        "furniture",
        18900,
        _all(color="black,grey", armrest="fixed,adjustable"),
        "Mesh back, adjustable height and tilt.",
        36,
    ),
    SeedProduct(
        "YGM",
        "Yoga Mat",
        "瑜伽垫",
        "sport",
        2990,
        _all(color="purple,green", thickness="4 mm,6 mm"),
        "Natural rubber, non-slip.",
    ),
    SeedProduct(
        "TNT",
        "Camping Tent",
        "露营帐篷",
        "sport",
        14900,
        _all(size="2 persons,4 persons"),
        "Freestanding, 3 kg, two minutes to pitch.",
    ),
    SeedProduct(
        "PZL", "Jigsaw Puzzle", "拼图", "toys", 1490, _all(pieces="500,1000"), "Printed on recycled board."
    ),
    SeedProduct(
        "PFM",
        "Perfume",
        "香水",
        "beauty",
        5900,
        _all(scent="citrus,wood", size="30ml,50ml"),
        "Eau de parfum.",
    ),
)
