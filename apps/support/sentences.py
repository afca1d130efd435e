"""The assistant's written sentences: the truth of a turn in each language.

They are the notes that the model puts into its own words, and the last resort where it leaves a fact out.
"""

from __future__ import annotations

from dataclasses import dataclass

from apps.support.facts import Fact, Value, make_fact
from apps.support.language import Language

_SENTENCES: dict[str, tuple[str, str]] = {
    # what the order is
    "order_pending": (
        "Order {order} is pending: it has not been processed yet.",
        "订单 {order} 待处理，还没有开始备货。",
    ),
    "order_processed": (
        "Order {order} is processed: it is packed and will be shipped next.",
        "订单 {order} 已处理，正在打包，即将发货。",
    ),
    "order_shipped": ("Order {order} is shipped and on its way.", "订单 {order} 已发货，正在配送途中。"),
    "order_delivered": ("Order {order} is delivered.", "订单 {order} 已送达。"),
    "order_cancelled": ("Order {order} is cancelled.", "订单 {order} 已取消。"),
    "placed": ("It was placed on {placed}.", "下单日期是 {placed}。"),
    "items": ("It contains {items}.", "订单包含：{items}。"),
    "total": ("The total is {total}.", "总金额是 {total}。"),
    "ships_to": ("It goes to {address}.", "收货地址是 {address}。"),
    "tracking": ("The tracking number is {tracking}.", "运单号是 {tracking}。"),
    "tracking_carrier": (
        "The carrier is {carrier} and the tracking number is {tracking}.",
        "承运商是 {carrier}，运单号是 {tracking}。",
    ),
    "expected": ("It should arrive on {expected}.", "预计 {expected} 送达。"),
    "delivered_on": ("It was delivered on {delivered}.", "送达日期是 {delivered}。"),
    "late": (
        "It should have arrived on {expected} and is late; we are sorry.",
        "本应在 {expected} 送达，现已延误，非常抱歉。",
    ),
    # money back
    "refunded": ("{amount} was refunded to {method}.", "{amount} 已退回到{method}。"),
    "refund_pending": (
        "The refund of {amount} to {method} is on its way; it takes 5 to 7 business days.",
        "{amount} 正在退回到{method}，需要 5 至 7 个工作日。",
    ),
    "return_requested": (
        "Return {number} of {items} was requested; the refund of {amount} starts when the items reach us.",
        "退货 {number}（{items}）已申请；商品到达仓库后开始退款 {amount}。",
    ),
    "return_received": (
        "Return {number} of {items} has reached our warehouse; the refund of {amount} is being made.",
        "退货 {number}（{items}）已到仓库，正在退款 {amount}。",
    ),
    "return_completed": (
        "Return {number} of {items} is finished; {amount} was refunded.",
        "退货 {number}（{items}）已完成，已退款 {amount}。",
    ),
    "return_rejected": (
        "Return {number} of {items} was not accepted; a colleague can explain why.",
        "退货 {number}（{items}）未获接受，同事可以说明原因。",
    ),
    "no_refund": ("There is no refund for order {order}.", "订单 {order} 没有退款记录。"),
    # invoice and payment
    "invoice": (
        "The invoice of order {order} has the number {invoice} and comes to {total}.",
        "订单 {order} 的发票号是 {invoice}，金额 {total}。",
    ),
    "invoice_later": (
        "The invoice of order {order} over {total} is sent by e-mail when the order is shipped.",
        "订单 {order}（金额 {total}）的发票会在发货时通过邮件发送。",
    ),
    "paid": ("{amount} was paid with {method}.", "已用{method}支付 {amount}。"),
    "payment_failed": ("The payment of {amount} with {method} failed.", "用{method}支付 {amount} 失败了。"),
    "payment_open": ("The payment of {amount} has not arrived yet.", "{amount} 的款项尚未到账。"),
    # what cannot be done, and why
    "cancel_refused": (
        "Order {order} cannot be cancelled: only pending orders can be, and this one is {status}.",
        "订单 {order} 无法取消：只有待处理的订单可以取消，而此订单{status}。",
    ),
    "already_cancelled": ("Order {order} is cancelled already.", "订单 {order} 之前已经取消。"),
    "address_refused": (
        "Order {order} cannot go elsewhere: only pending orders can be changed, and this one is {status}.",
        "订单 {order} 无法修改地址：只有待处理的订单可以修改，而此订单{status}。",
    ),
    "change_refused": (
        "Order {order} cannot be changed: only pending orders can be changed, and this one is {status}.",
        "订单 {order} 无法修改：只有待处理的订单可以修改，而此订单{status}。",
    ),
    "return_refused": (
        "Items of order {order} cannot be returned: only delivered items can be, and this order is {status}.",
        "订单 {order} 无法退货：只有已送达的商品可以退货，而此订单{status}。",
    ),
    "exchange_refused": (
        "Items of order {order} cannot be exchanged: only delivered ones can be, and this order is {status}.",
        "订单 {order} 无法换货：只有已送达的商品可以换货，而此订单{status}。",
    ),
    "return_late": (
        "Order {order} was delivered on {delivered}; returns and exchanges are possible within 30 days only.",
        "订单 {order} 已于 {delivered} 送达；退换货须在 30 天内提出。",
    ),
    "returned_already": (
        "A return or exchange of {items} was requested already.",
        "{items} 已经申请过退换货。",
    ),
    "option_sold_out": (
        "{product} is not available as {option} at the moment.",
        "{product}目前没有 {option} 这一款。",
    ),
    "greeting": (
        "Hello! I can help you with orders, delivery, returns, refunds, payment and your account.",
        "您好！我可以为您解答订单、配送、退换货、退款、支付和账户问题。",
    ),
    "thanks": ("You are welcome. Is there anything else I can do?", "不客气，还有什么可以帮您的吗？"),
    "not_done": ("Nothing was changed.", "没有做任何更改。"),
    "nothing_pending": (
        "There is nothing waiting for a yes at the moment.",
        "目前没有需要确认的事项。",
    ),
    "changed_meanwhile": (
        "Order {order} has changed in the meantime, so nothing was done.",
        "订单 {order} 的状态已经变化，因此没有做任何更改。",
    ),
    # questions to the customer
    "ask_order": (
        "Please tell me the order number and the e-mail address or postcode of the order.",
        "请告诉我订单号，以及下单邮箱或收货邮编。",
    ),
    "ask_which_order": ("Which order do you mean: {orders}?", "请问是哪个订单：{orders}？"),
    "ask_proof": (
        "To protect your data, please tell me the e-mail address or the postcode of order {order}.",
        "为保护您的信息，请提供订单 {order} 的邮箱或邮编。",
    ),
    "proof_wrong": (
        "I find no order {order} with these details. Please check the number and the e-mail or postcode.",
        "没有找到与这些信息相符的订单 {order}，请检查订单号以及邮箱或邮编。",
    ),
    "ask_address": (
        "Please write the new address in one message: street and number, city, postcode, country.",
        "请在一条消息中写明新地址：街道门牌号，城市，邮编，国家。",
    ),
    "ask_item": ("Which item do you mean: {items}?", "请问是哪件商品：{items}？"),
    "ask_option": (
        "Which option would you like instead for {product}? Available: {options}.",
        "{product}想换成哪一款？可选：{options}。",
    ),
    "ask_rephrase": (
        "I am not sure what you need. Could you say it in other words?",
        "我不太确定您的需求，能换一种说法吗？",
    ),
    "out_of_scope": (
        "I can help with orders, delivery, returns, refunds, payment and accounts here, but not with that.",
        "我可以解答本店的订单、配送、退换货、退款、支付和账户问题，但无法处理这个问题。",
    ),
    "cannot_instruct": (
        "I only answer questions about this shop, by its rules.",
        "我只能按照本店规则回答与本店有关的问题。",
    ),
    # asking for a yes: the customer agrees to exactly these words
    "confirm_cancel": (
        "Shall I cancel order {order}: {items}? {amount} goes back to {method}. Please answer yes or no.",
        "确认取消订单 {order}（{items}）吗？{amount} 将退回到{method}。请回答“是”或“否”。",
    ),
    "confirm_change_address": (
        "Shall I send order {order} to {address} instead? Please answer yes or no.",
        "确认将订单 {order} 的收货地址改为 {address} 吗？请回答“是”或“否”。",
    ),
    "confirm_default_address": (
        "Shall I make {address} your address for future orders? Please answer yes or no.",
        "确认将 {address} 设为您今后的收货地址吗？请回答“是”或“否”。",
    ),
    "confirm_change_item": (
        "Shall I change {item} in order {order} to {option}? Price difference: {difference}. "
        "Please answer yes or no.",
        "确认将订单 {order} 中的 {item} 改为 {option} 吗？差价：{difference}。请回答“是”或“否”。",
    ),
    "confirm_return": (
        "Shall I arrange the return of {items} from order {order}? {amount} goes back to {method} "
        "when the items reach us. Please answer yes or no.",
        "确认退回订单 {order} 中的 {items} 吗？商品到仓后 {amount} 将退回到{method}。请回答“是”或“否”。",
    ),
    "confirm_exchange": (
        "Shall I exchange {item} from order {order} for {option}? Price difference: {difference}. "
        "Please answer yes or no.",
        "确认将订单 {order} 中的 {item} 换成 {option} 吗？差价：{difference}。请回答“是”或“否”。",
    ),
    "confirm_subscribe": (
        "Shall I subscribe {email} to the newsletter? Please answer yes or no.",
        "确认为 {email} 订阅邮件吗？请回答“是”或“否”。",
    ),
    "confirm_unsubscribe": (
        "Shall I unsubscribe {email} from the newsletter? Please answer yes or no.",
        "确认为 {email} 退订邮件吗？请回答“是”或“否”。",
    ),
    # done
    "done_cancel": (
        "Order {order} is cancelled. {amount} goes back to {method}, which takes {time}.",
        "订单 {order} 已取消。{amount} 将退回到{method}，{time}。",
    ),
    "done_change_address": (
        "Order {order} now goes to {address}.",
        "订单 {order} 的收货地址已改为 {address}。",
    ),
    "done_default_address": (
        "{address} is now your address for future orders.",
        "{address} 已设为您今后的收货地址。",
    ),
    "done_change_item": (
        "{item} in order {order} is changed to {option}. The new total is {total}.",
        "订单 {order} 中的 {item} 已改为 {option}，新的总金额是 {total}。",
    ),
    "done_return": (
        "Return {number} for {items} is arranged. You get a return label by e-mail; {amount} goes back to "
        "{method} when the items reach us.",
        "{items} 的退货 {number} 已办理。退货标签将发送到您的邮箱；商品到仓后 {amount} 将退回到{method}。",
    ),
    "done_exchange": (
        "Exchange {number} of {item} for {option} is arranged. You get a return label by e-mail.",
        "{item} 换成 {option} 的换货 {number} 已办理。退货标签将发送到您的邮箱。",
    ),
    "done_subscribe": ("{email} is subscribed to the newsletter.", "{email} 已订阅邮件。"),
    "done_unsubscribe": ("{email} is unsubscribed from the newsletter.", "{email} 已退订邮件。"),
    # people
    "handed_over": (
        "I have handed the conversation over to a colleague; the ticket number is {ticket}.",
        "我已将对话转给同事，工单号是 {ticket}。",
    ),
    "safety_first": (
        "If anyone is in danger, call the emergency services; stop using the product.",
        "如有危险，请立即拨打急救电话，并停止使用该商品。",
    ),
    "complaint_filed": (
        "We are sorry. Your complaint has the ticket {ticket}; a colleague answers within 2 business days.",
        "非常抱歉。您的投诉工单号是 {ticket}，同事会在 2 个工作日内答复。",
    ),
    # products
    "product_price": ("{product} costs {price}.", "{product}的价格是 {price}。"),
    "product_price_range": ("{product} costs from {low} to {high}.", "{product}的价格从 {low} 到 {high}。"),
    "product_available": ("{product} is available as {options}.", "{product}现有：{options}。"),
    "product_sold_out": ("{product} is sold out at the moment.", "{product}目前缺货。"),
    "product_warranty": (
        "{product} has a warranty of {months} months from delivery.",
        "{product}自送达起保修 {months} 个月。",
    ),
    # the handbook
    "policy": ("{passage}", "{passage}"),
}

_STATUS = {
    "pending": ("pending", "待处理"),
    "processed": ("processed", "已处理"),
    "shipped": ("shipped", "已发货"),
    "delivered": ("delivered", "已送达"),
    "cancelled": ("cancelled", "已取消"),
}
_METHODS = {
    "credit_card": ("the card", "银行卡"),
    "paypal": ("PayPal", "PayPal"),
    "gift_card": ("the gift card", "礼品卡"),
    "alipay": ("Alipay", "支付宝"),
    "wechat_pay": ("WeChat Pay", "微信支付"),
}
_ORIGINAL_METHOD = ("the original payment method", "原支付方式")
_REFUND_TIMES = {
    True: ("no time: it is there at once", "立即到账"),
    False: ("5 to 7 business days", "需要 5 至 7 个工作日"),
}


@dataclass(frozen=True)
class Note:
    """One written sentence and the facts in it."""

    key: str
    text: str
    facts: tuple[Fact, ...]


def write(key: str, language: Language, /, *, must: tuple[str, ...] = (), **values: Value) -> Note:
    """The sentence `key` with its values; the customer must hear the values named in `must`."""
    facts = tuple(make_fact(name, value, language, must=name in must) for name, value in values.items())
    template = _SENTENCES[key][_column(language)]
    return Note(key, template.format(**{fact.name: fact.text for fact in facts}), facts)


def status_word(status: str, language: Language) -> str:
    return _STATUS[status][_column(language)]


def method_words(kind: str | None, last_four: str | None, language: Language) -> str:
    """A payment method as customers know it: "the card ending in 1234"."""
    words = _METHODS.get(kind or "", _ORIGINAL_METHOD)[_column(language)]
    if last_four:
        return f"{words}（尾号 {last_four}）" if language == "zh" else f"{words} ending in {last_four}"
    return words


def refund_time(kind: str | None, language: Language) -> str:
    return _REFUND_TIMES[kind == "gift_card"][_column(language)]


def listing(parts: list[str], language: Language) -> str:
    """ "a, b and c"; in Chinese "a、b、c"."""
    if language == "zh":
        return "、".join(parts)
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}"


def _column(language: Language) -> int:
    return 1 if language == "zh" else 0
