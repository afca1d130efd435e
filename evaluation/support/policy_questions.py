"""Questions about the packaged handbook: what the answer must say, and which article it must cite."""

from __future__ import annotations

from dataclasses import dataclass

from apps.support.words import Language


@dataclass(frozen=True)
class PolicyQuestion:
    """`says` holds groups of wordings: the answer has one of each group."""

    language: Language
    text: str
    citation: str
    says: tuple[tuple[str, ...], ...] = ()


def _english(text: str, citation: str, *says: str) -> PolicyQuestion:
    return PolicyQuestion("en", text, citation, tuple(tuple(group.split("|")) for group in says))


def _chinese(text: str, citation: str, *says: str) -> PolicyQuestion:
    return PolicyQuestion("zh", text, citation, tuple(tuple(group.split("|")) for group in says))


POLICY_QUESTIONS = (
    _english("How long does delivery take?", "Delivery › Delivery times", "3 to 5", "1 to 2"),
    _english("how many days until standard shipping arrives", "Delivery › Delivery times", "3 to 5|3-5"),
    _english("What delivery options do you have?", "Delivery › Delivery options", "$4.95", "$12.95"),
    _english("how much is express delivery?", "Delivery › Delivery options", "$12.95"),
    _english("do you ship to Germany?", "Delivery › International delivery", "European Union|Germany"),
    _english("Can I get something delivered to Canada?", "Delivery › International delivery", "Canada"),
    _english("my parcel seems to be lost, what happens now?", "Delivery › Late or lost parcels"),
    _english("Is there a cancellation fee?", "Cancellations › Cancellation fee", "no cancellation fee"),
    _english(
        "what does it cost to cancel an order", "Cancellations › Cancellation fee", "no cancellation fee"
    ),
    _english("Which payment methods do you accept?", "Payment and invoices › Payment methods", "PayPal"),
    _english("can i pay with american express", "Payment and invoices › Payment methods", "American Express"),
    _english("my payment was declined, why?", "Payment and invoices › Payment problems"),
    _english("I was charged twice!", "Payment and invoices › Payment problems", "reservation"),
    _english("What is your refund policy?", "Refunds › Refund policy", "30 days"),
    _english("how long does a refund take?", "Refunds › How long a refund takes", "5 to 7|5-7"),
    _english("When can I reach customer service?", "Contact and complaints › Customer service", "9:00"),
    _english("how do I create an account", "Account › Creating an account", "24 hours"),
    _english("I forgot my password", "Account › Password and sign-in", "60 minutes|60-minute"),
    _english("How can I delete my account?", "Account › Deleting an account", "10 years"),
    _english("I can't register, no confirmation e-mail comes", "Account › Registration problems"),
    _english("how do I change the phone number in my account", "Account › Changing account data", "Settings"),
    _english("how do I write a review", "Contact and complaints › Reviews", "review"),
    _english(
        "do I have to pay for the return shipping?", "Returns and exchanges › Returning an item", "free"
    ),
    _english(
        "what can I do if something arrives broken?",
        "Returns and exchanges › Faulty or wrong items",
        "30 days",
    ),
    _english("How do I place an order?", "Changing an order › Placing an order", "basket"),
    _english("what warranty do electronics have?", "Warranty and repairs › Warranty", "24 months"),
    _english("which data do you store about me?", "Privacy › What we store", "24 months"),
    _chinese("配送要多久？", "配送 › 配送时间", "3 至 5|3至5|3-5"),
    _chinese("有哪些配送方式？运费多少", "配送 › 配送方式", "$4.95", "$12.95"),
    _chinese("能寄到加拿大吗", "配送 › 国际配送", "加拿大"),
    _chinese("取消订单要收费吗？", "取消订单 › 取消费用"),
    _chinese("你们支持哪些支付方式？", "支付与发票 › 支付方式", "支付宝"),
    _chinese("退款政策是什么？", "退款 › 退款政策", "30 天|30天"),
    _chinese("忘记密码了怎么办", "账户 › 密码与登录", "60 分钟|60分钟"),
    _chinese("客服几点上班", "联系与投诉 › 客服", "9:00"),
    _chinese("怎么注销账户", "账户 › 注销账户", "10 年|10年"),
    _chinese("收到的商品坏了怎么处理？", "退货与换货 › 商品损坏或发错", "30 天|30天"),
)
