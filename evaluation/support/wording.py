"""How customers put a question: several ways a kind, in both languages.

`named` phrasings hold the order's number; `vague` ones are asked of an order that is talked about already.
"""

from __future__ import annotations

from dataclasses import dataclass

from apps.support.words import Language


@dataclass(frozen=True)
class Wording:
    named: dict[Language, tuple[str, ...]]
    vague: dict[Language, tuple[str, ...]]


ORDER_QUESTIONS: dict[str, Wording] = {
    "status": Wording(
        {
            "en": (
                "What is the status of order {order}?",
                "where is my order {order}",
                "Hi, has {order} been shipped yet?",
                "can you check {order} for me? I want to know where it is",
                "order {order} status pls",
                "I'm still waiting for order {order}, what's going on with it?",
            ),
            "zh": (
                "订单 {order} 现在是什么状态？",
                "我的订单{order}发货了吗",
                "帮我查一下{order}到哪了",
                "{order}这个订单进度怎么样了",
            ),
        },
        {
            "en": ("what is its status?", "and has it been shipped?", "where is it now?"),
            "zh": ("现在什么状态？", "发货了吗", "到哪了"),
        },
    ),
    "tracking": Wording(
        {
            "en": (
                "What's the tracking number for order {order}?",
                "i need the tracking no of {order}",
                "Could you send me the tracking code for {order} please",
                "{order} tracking number",
            ),
            "zh": ("订单{order}的运单号是多少？", "请把{order}的快递单号发给我", "{order} 物流单号"),
        },
        {
            "en": (
                "and the tracking number?",
                "what is the tracking number?",
                "can I have the tracking code",
            ),
            "zh": ("运单号是多少", "快递单号呢"),
        },
    ),
    "items": Wording(
        {
            "en": (
                "What did I buy in order {order}?",
                "which items are in order {order}?",
                "what's in my order {order}",
                "Please list the items of {order}",
                "can you tell me the contents of {order}",
            ),
            "zh": ("订单{order}里面有什么？", "{order}这个订单我买了什么", "订单{order}包含哪些商品？"),
        },
        {
            "en": ("what did I order?", "what's in it?", "which items are in it?"),
            "zh": ("里面有什么东西", "我买了什么"),
        },
    ),
    "total": Wording(
        {
            "en": (
                "How much did I pay for order {order}?",
                "what was the total of order {order}?",
                "total amount of {order} please",
                "what did order {order} cost me",
                "tell me how much order {order} was in total",
            ),
            "zh": ("订单{order}一共多少钱？", "{order}的总金额是多少", "我的订单{order}付了多少"),
        },
        {
            "en": ("what's the total?", "how much did I pay?", "and how much was it in total?"),
            "zh": ("一共多少钱", "总金额是多少？"),
        },
    ),
    "item_price": Wording(
        {
            "en": (
                "How much did I pay for the {item} in order {order}?",
                "what was the price of the {item} in my order {order}",
                "In order {order}, what did the {item} cost?",
            ),
            "zh": ("订单{order}里的{item}多少钱？", "{order}这个订单中{item}的价格是多少"),
        },
        {"en": ("how much was the {item}?", "and the price of the {item}?"), "zh": ("{item}多少钱？",)},
    ),
    "address": Wording(
        {
            "en": (
                "Which address is order {order} going to?",
                "what's the delivery address of {order}?",
                "where will you send order {order}?",
                "can you confirm the shipping address for {order}",
            ),
            "zh": ("订单{order}寄到哪里？", "{order}的收货地址是什么", "帮我确认一下订单{order}的地址"),
        },
        {
            "en": ("which address is it going to?", "what is the delivery address?"),
            "zh": ("收货地址是哪里", "寄到哪里？"),
        },
    ),
    "payment": Wording(
        {
            "en": (
                "How did I pay for order {order}?",
                "which card did I use for {order}",
                "What payment method was used for order {order}?",
            ),
            "zh": ("订单{order}我是怎么付的款？", "{order}这个订单用什么付的"),
        },
        {"en": ("how did I pay?", "which payment method did I use?"), "zh": ("我是怎么付的款",)},
    ),
    "refund": Wording(
        {
            "en": (
                "Where is my refund for order {order}?",
                "how much was refunded for {order}?",
                "I cancelled {order}, did I get my money back?",
                "refund status {order}",
            ),
            "zh": ("订单{order}的退款到了吗？", "{order}退了多少钱", "我取消了{order}，退款什么时候到？"),
        },
        {"en": ("did I get a refund?", "how much did I get refunded?"), "zh": ("退款到了吗",)},
    ),
    "cancel": Wording(
        {
            "en": (
                "Please cancel order {order}",
                "I want to cancel {order}, is that still possible?",
                "cancel my order {order} pls, I ordered by mistake",
            ),
            "zh": ("我要取消订单{order}", "请帮我取消{order}，我下错单了"),
        },
        {"en": ("can I still cancel it?", "please cancel it"), "zh": ("还能取消吗", "帮我取消吧")},
    ),
    "return": Wording(
        {
            "en": (
                "I want to return order {order}",
                "how do I send back what I got with {order}? I want to return it",
                "I'd like to return everything from order {order}",
            ),
            "zh": ("我想退货，订单{order}", "订单{order}的东西我要退掉"),
        },
        {"en": ("I want to return it", "can I send it back?"), "zh": ("我想退货",)},
    ),
    "placed": Wording(
        {
            "en": ("When did I place order {order}?", "what's the order date of {order}"),
            "zh": ("订单{order}是什么时候下的单？", "{order}的下单时间"),
        },
        {"en": ("when did I order it?",), "zh": ("什么时候下的单",)},
    ),
    "invoice": Wording(
        {
            "en": ("I need the invoice of order {order}", "what's the invoice number for {order}?"),
            "zh": ("我要订单{order}的发票", "订单{order}的发票号是多少"),
        },
        {"en": ("can I get the invoice?",), "zh": ("发票呢",)},
    ),
}
OPENERS: dict[Language, tuple[str, ...]] = {
    "en": ("What's the status of my order {order}?", "where is order {order}?"),
    "zh": ("订单{order}到哪了？", "帮我查一下订单{order}的状态"),
}
PROOFS: dict[str, dict[Language, tuple[str, ...]]] = {
    "email": {
        "en": ("{email}", "my email is {email}", "sure, it's {email}"),
        "zh": ("{email}", "我的邮箱是{email}"),
    },
    "postcode": {
        "en": ("zip {postcode}", "the postcode is {postcode}", "my zip code is {postcode}"),
        "zh": ("邮编{postcode}", "邮编是 {postcode}"),
    },
}
PRODUCT_PRICE: dict[Language, tuple[str, ...]] = {
    "en": ("How much is the {product}?", "what does the {product} cost", "price of the {product} please"),
    "zh": ("{product}多少钱？", "请问{product}的价格"),
}
PRODUCT_STOCK: dict[Language, tuple[str, ...]] = {
    "en": ("Do you have the {product} in {option}?", "is the {product} available in {option}?"),
    "zh": ("{product}有{option}的吗，有货吗？", "有没有{option}的{product}"),
}
