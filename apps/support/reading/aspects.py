"""What about an order a message asks for: its items, its total, where it goes and so on.

The 27 intents say what a customer wants done; none of them is "what did I order?". Such questions are
recognised by their words, and only where the message asks for nothing to be changed.
"""

from __future__ import annotations

import re
from typing import Literal

Aspect = Literal["status", "tracking", "items", "total", "address", "placed", "payment", "refund", "orders"]

_IT = (
    r"(?:it|that|this|(?:my|the|this|that) (?:\w+ )?(?:order|purchase|parcel|package|delivery|box)|order \S+|"
    r"#?(?:[a-z]{1,4}-?)?\d{4,})"
)
_ASPECTS: tuple[tuple[Aspect, str], ...] = (
    (
        "status",
        r"\bstatus\b|\bstate of (?:my|the|this) order|"
        rf"\b(?:is|was|has|did|are|have) {_IT} (?:\w+ ){{0,2}}"
        r"(?:ship\w*|sent|send|dispatched|deliver\w*|processed|cancell?ed|pending|left|arrived?|on its way)\b|"
        rf"\bwhere(?:'s|s| is| are) (?:{_IT}|my (?:stuff|things))(?! (?:going|being|headed|sent))\b|"
        rf"\bwhen (?:does|will|is|do) {_IT} (?:be )?(?:\w+ )?(?:come|coming|arriv\w*|deliver\w*|get here|here|reach)|"
        rf"\b{_IT} (?:is late|is delayed|(?:has ?n[o']?t|has not|never|did ?n[o']?t|did not) (?:yet )?"
        r"(?:arrived?|come|shown up))|"
        r"(?:什么时候|何时|几时|多久)(?:能|会|才)?(?:到|送)|没(?:有)?(?:收)?到|状态|发货了?[吗没]|(?:到|在)哪|送到了?[吗没]|(?:到了|收到)[吗没]|进度|取消了[吗没]",
    ),
    (
        "tracking",
        r"\btracking (?:number|no|code|id|link|info\w*|details)\b|\btrack it\b|"
        r"(?:运|快递|物流|追踪|跟踪)单?号|物流信息|单号(?:是|多少)",
    ),
    (
        "items",
        r"\bwhat (?:(?:all )?(?:did|have) (?:i|we)|i) (?:\w+ )?(?:order|buy|bought|purchase|get)\w*\b|"
        rf"\bwhat(?:'?s| is| are| was| were)? (?:\w+ ){{0,3}}(?:in|inside) {_IT}|"
        r"\b(?:which|what|list|show|how many)(?: me)?(?: all)?(?: of)?(?: the| my)? "
        r"(?:items?|products?|things|articles)\b(?! (?:can|do you|are (?:in stock|available|on)))|"
        rf"\bcontents? of\b|\bwhat (?:does|do) {_IT} (?:contain|include)|\bitems? (?:in|of|on) {_IT}|"
        r"(?:买|订|下单)了?些?(?:什么|哪些|啥|几)|(?:里面?|订单|包裹).{0,14}(?:有|是|包含|包括)些?(?:什么|哪些|啥|几)|"
        r"(?:哪些|几件|什么)(?:商品|东西)|商品(?:清单|明细|列表|有哪些|是什么)",
    ),
    (
        "total",
        r"\b(?:order |grand |what(?:'?s| is| was) the |the )?total\b(?! \w+ish| rubbish)|\border amount\b|"
        r"\bhow much (?:did|do|have|was|am|were) (?:i|we) (?:\w+ )?(?:pay|paid|spen[dt]|owe|charged|billed)|"
        rf"\bhow much (?:is|was|did|does|for) {_IT}(?: cost| come to)?(?: (?:in )?(?:total|all))?|"
        rf"\b(?:price|cost|amount|sum|value) (?:of|for) {_IT}|\bwhat (?:did|does) {_IT} (?:cost|come to)|"
        r"总(?:金额|价|额|计|共|数)|合计|一共|订单.{0,14}(?:金额|多少钱|价格)|(?:付|花|支付)了?多少",
    ),
    (
        "address",
        r"\b(?:what|which|where|tell|confirm|check|show|see|know|right|correct|is)\b.{0,60}\baddress\b|"
        rf"\bwhere (?:is|was|are|will|did|do) (?:you )?{_IT} (?:be )?(?:\w+ )?"
        r"(?:going|headed|sent|shipped|delivered|ship(?:ping)?|sending)\b|"
        rf"\bwhere (?:did|do|will|are) you (?:ship|send|deliver|sending|shipping) {_IT}|"
        r"地址.{0,4}(?:是|在|对|写)?(?:什么|哪|吗|不对)|(?:寄|送|发|配送)(?:到|去|往)了?(?:哪|什么地)|"
        r"(?:哪个|什么|确认|查|看).{0,20}地址",
    ),
    (
        "placed",
        r"\bwhen (?:did|have) (?:i|we) (?:\w+ )?(?:order|place|buy|bought|make|made|purchase)\w*|"
        r"\border(?:ing)? date\b|\bdate (?:of|when|i) (?:\w+ )?(?:order|purchase|bought|placed)|"
        rf"\bwhen was {_IT} (?:placed|ordered|bought|made)|"
        r"(?:什么时候|哪天|几号|何时).{0,4}(?:下的?单|买的|订的|购买)|下单(?:时间|日期)",
    ),
    (
        "payment",
        r"\bhow (?:did|have) (?:i|we) pa(?:y|id)\b|"
        r"\b(?:which|what) (?:\w+ )?(?:card|payment method|account)\b.{0,40}\b(?:use[d]?|charged|paid|pay for)\b|"
        rf"\b(?:is|was|has) {_IT} (?:been )?paid|\bpaid with\b|\bpayment (?:method|status) (?:of|for|on) {_IT}|"
        r"\bdid (?:my|the) payment (?:go|come|get|arrive)|"
        r"(?:怎么|用什么|用的?哪张?卡?|什么方式)(?:付|支付)的?款?的|(?:这单|订单).{0,14}(?:支付|付款)(?:方式|状态)|"
        r"付款成功了?[吗没]|用的?(?:什么|哪种)(?:支付|付款)方式",
    ),
    (
        "orders",
        r"\b(?:all|list|which|what)(?: of)?(?: my)? orders\b|\border history\b|"
        r"\b(?:show|see|list|have|know|check)(?: me)?(?: all)? my orders\b|"
        r"(?:所有|全部|哪些|历史)(?:的)?订单|订单(?:列表|记录|历史)",
    ),
    (
        "refund",
        r"\brefund (?:status|amount)\b|"
        r"\b(?:where|when|how much|status|has|have|did|got|get|gotten|receive[d]?)\b.{0,40}"
        r"\b(?:refund(?:ed)?|money back)\b|退款.{0,6}(?:到|了没|进度|状态|金额|多少|什么时候|哪)|"
        r"(?:什么时候|何时).{0,6}退款?|退了?多少|钱退",
    ),
)
_COMPILED = tuple((aspect, re.compile(pattern, re.IGNORECASE)) for aspect, pattern in _ASPECTS)
_ACTING = re.compile(
    r"\b(?:cancel|return|exchange|swap|change|update|edit|modify|replace|add|remove|correct(?= (?:the|my))|"
    r"set up|your address|invoice|receipt|bill)\b|取消(?!了[吗没])|退货|换货?|改|更新|添加|设置|删除|发票",
    re.IGNORECASE,
)
_ABOUT_MONEY_BACK = re.compile(r"\brefund|money back|退款|退钱|钱退", re.IGNORECASE)


def find_aspects(text: str) -> tuple[Aspect, ...]:
    """What the text asks to be told about an order; nothing where it asks for a change."""
    if _ACTING.search(text):
        return ()
    found = tuple(aspect for aspect, pattern in _COMPILED if pattern.search(text))
    if _ABOUT_MONEY_BACK.search(text):
        return tuple(aspect for aspect in found if aspect == "refund")
    return found
