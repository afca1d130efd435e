"""The words of the written sentences, in English and Chinese, by key."""

from __future__ import annotations

SENTENCES: dict[str, tuple[str, str]] = {
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
    "placed_unknown": (
        "I do not have the date on which order {order} was placed.",
        "我这里没有订单 {order} 的下单日期。",
    ),
    "items": ("It contains {items}.", "订单包含：{items}。"),
    "total": ("The total is {total}.", "总金额是 {total}。"),
    "item_price": (
        "{item} costs {price} in this order.",
        "此订单中 {item} 的价格是 {price}。",
    ),
    "ships_to": ("The delivery address is {address}.", "收货地址是 {address}。"),
    "tracking": ("The tracking number is {tracking}.", "运单号是 {tracking}。"),
    "tracking_carrier": (
        "The carrier is {carrier} and the tracking number is {tracking}.",
        "承运商是 {carrier}，运单号是 {tracking}。",
    ),
    "no_tracking": (
        "Order {order} has no tracking number.",
        "订单 {order} 没有运单号。",
    ),
    "no_tracking_yet": (
        "Order {order} has no tracking number yet: it gets one when it is shipped.",
        "订单 {order} 还没有运单号，发货后才会有。",
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
        "The invoice of order {order} over {total} is sent by e-mail when the order is shipped, and "
        "stands in your account under Orders.",
        "订单 {order}（金额 {total}）的发票会在发货时通过邮件发送，也可以在账户的“订单”中查看。",
    ),
    "paid": ("{amount} was paid with {method}.", "已用{method}支付 {amount}。"),
    "payment_failed": ("The payment of {amount} with {method} failed.", "用{method}支付 {amount} 失败了。"),
    "payment_open": ("The payment of {amount} has not arrived yet.", "{amount} 的款项尚未到账。"),
    # what cannot be done, and why
    "cancel_refused": (
        "Order {order} cannot be cancelled: only pending orders can be, and this one is {status}.",
        "订单 {order} 无法取消：只有待处理的订单可以取消，而此订单{status}。",
    ),
    "return_later": (
        "Once it has arrived, you can return it free of charge within 30 days.",
        "商品送达后 30 天内，您可以免运费退货。",
    ),
    "return_instead": (
        "You can send it back within 30 days of delivery instead; return shipping is free.",
        "您可以在收到后 30 天内退货，退货免运费。",
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
    "offer_return": (
        "I'm sorry about that. If you tell me the order number, and the e-mail address or postcode of the "
        "order, I arrange the return right away.",
        "非常抱歉给您带来不便。请告诉我订单号，以及下单邮箱或收货邮编，我马上为您办理退货。",
    ),
    "offer_to_take_back": (
        "If you want to send something back, tell me the order number, and the e-mail address or postcode of "
        "the order.",
        "如需退货，请告诉我订单号，以及下单邮箱或收货邮编。",
    ),
    "option_available": (
        "Yes, {product} is available as {option}.",
        "有的，{product}有 {option} 这一款。",
    ),
    "option_sold_out": (
        "{product} is not available as {option} at the moment.",
        "{product}目前没有 {option} 这一款。",
    ),
    "greeting": (
        "Hello! How can I help you? I can look up an order, change or cancel it, arrange a return, and "
        "answer questions about delivery, payment and your account.",
        "您好！有什么可以帮您？我可以查询、修改或取消订单，办理退换货，也可以解答配送、支付和账户问题。",
    ),
    "about_me": (
        "I'm this shop's assistant, a computer program. I can look up an order, change or cancel it, arrange a "
        "return, and answer questions about delivery, payment and your account. If you prefer a person, just say so.",
        "我是本店的智能助手，是一个程序。我可以查询、修改或取消订单，办理退换货，也可以解答配送、支付和账户问题。"
        "如果您想和同事沟通，请告诉我。",
    ),
    "thanks": (
        "You're welcome! Is there anything else I can do for you?",
        "不客气！还有什么可以帮您的吗？",
    ),
    "goodbye": (
        "All right. Have a nice day!",
        "好的，祝您生活愉快！",
    ),
    "not_done": (
        "All right, I have changed nothing. Is there anything else I can do for you?",
        "好的，我没有做任何更改。还有什么可以帮您的吗？",
    ),
    "nothing_pending": (
        "There is nothing that waits for your yes at the moment. What can I do for you?",
        "目前没有需要您确认的事项。请问有什么可以帮您？",
    ),
    "changed_meanwhile": (
        "Order {order} has changed in the meantime, so I did nothing. Please ask me again.",
        "订单 {order} 的状态刚刚发生了变化，所以我没有做任何更改，请您重新告诉我需求。",
    ),
    # questions to the customer
    "ask_order": (
        "I'm happy to look that up. Please tell me the order number, and the e-mail address or "
        "postcode of the order.",
        "好的，我来为您查询。请告诉我订单号，以及下单邮箱或收货邮编。",
    ),
    "ask_order_only": (
        "Thank you. Now I only need the number of the order: you find it in your confirmation e-mail.",
        "谢谢！请再告诉我订单号，您可以在订单确认邮件里找到。",
    ),
    "ask_which_order": (
        "Which order do you mean: {orders}?",
        "请问您指的是哪个订单：{orders}？",
    ),
    "ask_proof": (
        "Thank you. To protect your data, I also need the e-mail address or the postcode of order {order}.",
        "谢谢！为了保护您的信息，请再提供订单 {order} 的邮箱或收货邮编。",
    ),
    "proof_wrong": (
        "I'm sorry, I find no order {order} with these details. Please check the order number and "
        "the e-mail address or postcode.",
        "抱歉，没有找到与这些信息相符的订单 {order}，请核对订单号以及邮箱或邮编。",
    ),
    "ask_address": (
        "Of course. Please write the whole new address in one message: street and number, city, "
        "postcode, country.",
        "好的。请在一条消息中写明完整的新地址：街道门牌号，城市，邮编，国家。",
    ),
    "orders": (
        "These are your latest orders: {orders}. Which one is it about?",
        "您最近的订单有：{orders}。请问是哪一个？",
    ),
    "no_orders": ("I find no order under your name yet.", "目前没有找到您的订单。"),
    "ask_item": (
        "Which item do you mean: {items}?",
        "请问是哪件商品：{items}？",
    ),
    "ask_option": (
        "Which option would you like instead for {product}? Available: {options}.",
        "{product}想换成哪一款？可选：{options}。",
    ),
    "ask_rephrase": (
        "I'm sorry, I did not quite understand. Could you say it in other words? I can help with "
        "orders, delivery, returns, refunds, payment and your account.",
        "抱歉，我没太明白您的意思，能换一种说法吗？我可以帮您处理订单、配送、退换货、退款、支付和账户"
        "方面的问题。",
    ),
    "part_unclear": (
        "I did not quite understand the other part of your message. Could you say it in other words?",
        "您消息里的另一部分我没太明白，能换一种说法吗？",
    ),
    "part_out_of_scope": (
        "With the other part of your message I'm afraid I can't help.",
        "您消息里的另一部分，抱歉我帮不上忙。",
    ),
    "one_at_a_time": (
        "One thing at a time: I come to your other request right after this.",
        "我们一件一件来：这件事处理完，我马上为您处理另一件。",
    ),
    "out_of_scope": (
        "I'm afraid I can't help with that. I can help with orders, delivery, returns, refunds, "
        "payment and your account, or ask a colleague to take over.",
        "抱歉，这个问题我帮不上忙。我可以为您处理本店的订单、配送、退换货、退款、支付和账户问题，也可"
        "以为您转接同事。",
    ),
    "cannot_instruct": (
        "I can only help with questions about this shop, and by its rules. What can I do for you?",
        "我只能按照本店的规定解答与本店有关的问题。请问有什么可以帮您？",
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
        "I'm handing you over to a colleague, who will answer here. They see everything we wrote, so "
        "you need not repeat it. Your ticket number is {ticket}.",
        "我现在为您转接同事，同事会在这里回复您，并能看到我们的全部对话，您无需重复说明。您的工单号是"
        " {ticket}。",
    ),
    "handed_over_angry": (
        "I'm sorry that this went wrong, and I understand that you are upset. A colleague takes over "
        "now and sees everything we wrote. Your ticket number is {ticket}.",
        "非常抱歉给您带来这么糟糕的体验，我理解您的心情。现在由同事接手，同事能看到我们的全部对话。您"
        "的工单号是 {ticket}。",
    ),
    "handed_over_unsure": (
        "I'm sorry, I still do not understand, so I'm handing you over to a colleague, who will "
        "answer here. Your ticket number is {ticket}.",
        "抱歉，我还是没能理解您的问题，现在为您转接同事，同事会在这里回复您。您的工单号是 {ticket}。",
    ),
    "handed_over_failure": (
        "I'm sorry, something went wrong on our side. A colleague takes over and will answer here. "
        "Your ticket number is {ticket}.",
        "抱歉，我们的系统出了点问题，现在由同事接手，同事会在这里回复您。您的工单号是 {ticket}。",
    ),
    "handed_over_identity": (
        "I'm sorry, these details do not fit the order. To protect the customer's data, a colleague "
        "takes over from here. Your ticket number is {ticket}.",
        "抱歉，这些信息与订单不符。为了保护顾客的信息，接下来由同事为您处理。您的工单号是 {ticket}。",
    ),
    "safety_first": (
        "If anyone is in danger, please call the emergency services, and stop using the product.",
        "如有危险，请立即拨打急救电话，并停止使用该商品。",
    ),
    "complaint_filed": (
        "I'm very sorry about this. I have written your complaint down under ticket {ticket}, and a "
        "colleague answers within 2 business days. If you would rather talk to a person now, just "
        "say so.",
        "非常抱歉给您带来不便。我已为您登记投诉，工单号是 {ticket}，同事会在 2 个工作日内"
        "答复。如果您想现在就联系人工客服，请告诉我。",
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
