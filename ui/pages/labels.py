"""Every word of the pages, in English and Chinese."""

from __future__ import annotations

from typing import Literal

from apps.code.errors import LanguageNotServedError
from apps.support.errors import ConflictError, DatabaseNotReadyError, NotFoundError
from core_model.errors import ContextLengthError, EngineClosedError, RequestError
from ui.openai.errors import BusyError, NotReadyError

Language = Literal["en", "zh"]
LANGUAGES: dict[Language, str] = {"en": "English", "zh": "中文"}

_TEXTS: dict[str, tuple[str, str]] = {
    "starting": (
        "Duet is starting. This page opens by itself in a moment.",
        "Duet 正在启动，页面马上就会打开。",
    ),
    "login": ("Sign in with any name; the password is an API key.", "用户名任意，密码为 API 密钥。"),
    # Header
    "nav.shop": ("Shop assistant", "购物助手"),
    "nav.code": ("Code studio", "代码工坊"),
    # Shop assistant
    "shop.title": ("How can we help?", "有什么可以帮您？"),
    "shop.lead": (
        "Ask about an order, delivery, returns or payment. What it says comes from the shop's own data.",
        "可以询问订单、配送、退换货或付款。所有回答都来自商店自己的数据。",
    ),
    "shop.hint": ("Write a message", "输入消息"),
    "shop.send": ("Send", "发送"),
    "shop.stop": ("Stop", "停止"),
    "shop.new": ("New conversation", "新对话"),
    "shop.person": ("Talk to a person", "转人工客服"),
    "shop.customer": ("You are", "您是"),
    "shop.guest": ("a guest", "访客"),
    "shop.examples": ("Try one", "试一试"),
    "shop.seen": ("What it understood", "系统的理解"),
    "shop.seen_empty": (
        "Intent, facts and actions of a turn appear here.",
        "每一轮的意图、事实和操作会显示在这里。",
    ),
    "shop.intent": ("Intent", "意图"),
    "shop.facts": ("Facts it may use", "可用的事实"),
    "shop.actions": ("Actions", "操作"),
    "shop.sources": ("Policy", "政策条款"),
    "shop.need_text": ("Write a message first.", "请先输入消息。"),
    "shop.handed_over": (
        "A person has been asked to take over (ticket T{ticket}).",
        "已转人工客服（工单 T{ticket}）。",
    ),
    "shop.example.where": ("Where is my order?", "我的订单在哪里？"),
    "shop.example.cancel": ("I want to cancel my order", "我想取消订单"),
    "shop.example.delivery": ("How long does delivery take?", "配送需要多长时间？"),
    "shop.example.refund": ("What is your refund policy?", "退款政策是什么？"),
    # What goes wrong
    "error.loading": (
        "The model is still being loaded. Please try again in a moment.",
        "模型还在加载，请稍后再试。",
    ),
    "error.busy": (
        "Very many are asking just now. Please try again in a moment.",
        "现在请求很多，请稍后再试。",
    ),
    "error.too_long": (
        "This is too long for the model. Please shorten it.",
        "内容超出模型的长度限制，请缩短后再试。",
    ),
    "error.language": ("This language is not served.", "暂不支持这种语言。"),
    "error.running": (
        "The last message is still being answered.",
        "上一条消息还在回答中。",
    ),
    "error.gone": ("This is no longer there. Please start anew.", "内容已不存在，请重新开始。"),
    "error.database": ("The shop's database cannot be reached just now.", "暂时无法访问商店数据库。"),
    "error.stopping": ("The server is shutting down.", "服务器正在关闭。"),
    "error.cannot_fill": (
        "This model cannot fill in code. Write and translate work.",
        "当前模型不支持代码补全，可以使用编写和翻译。",
    ),
    "error.other": (
        "Something went wrong on our side; the server's log says more.",
        "服务器出了点问题，详情见服务器日志。",
    ),
    # Code studio
    "code.title": ("Code that always parses", "写出来的代码一定能解析"),
    "code.lead": (
        "Describe a function, fill a gap, or carry a program over to another language.",
        "描述一个函数、补全一段空缺，或把程序翻译成另一种语言。",
    ),
    "code.write": ("Write", "编写"),
    "code.complete": ("Complete", "补全"),
    "code.translate": ("Translate", "翻译"),
    "code.task": ("What should the code do?", "代码要做什么？"),
    "code.task_hint": (
        "For example: a function that returns the longest word of a sentence",
        "例如：写一个函数，返回句子中最长的单词",
    ),
    "code.language": ("Language", "语言"),
    "code.from": ("From", "源语言"),
    "code.to": ("To", "目标语言"),
    "code.file": (
        "Your code: put the cursor where something is missing",
        "你的代码：把光标放在需要补全的位置",
    ),
    "code.source": ("Program to translate", "要翻译的程序"),
    "code.examples": ("Try one", "试一试"),
    "code.stop": ("Stop", "停止"),
    "code.insert": ("Take it over into your code", "放回我的代码"),
    "code.copy": ("Copy", "复制"),
    "code.copied": ("Copied", "已复制"),
    "code.empty": ("The code appears here.", "代码会显示在这里。"),
    "code.need_task": ("Say first what the code should do.", "请先说明代码要做什么。"),
    "code.need_code": ("Put some code in first.", "请先输入代码。"),
    "code.same": ("Choose two different languages.", "请选择两种不同的语言。"),
    "code.effort": ("Effort", "投入程度"),
    "code.effort.quick": ("Quick", "快速"),
    "code.effort.normal": ("Normal", "标准"),
    "code.effort.thorough": ("Thorough", "充分"),
    "code.reading": ("Reading …", "正在阅读 …"),
    "code.draft_checked": (
        "Draft {draft} passes {passed} of {total} examples",
        "第 {draft} 稿通过 {passed}/{total} 个示例",
    ),
    "code.trying_again": ("working on it …", "继续改进 …"),
    "code.passed": ("{passed} of {total} examples pass", "{total} 个示例通过 {passed} 个"),
    "code.drafts": ("{drafts} drafts", "共 {drafts} 稿"),
    "code.unchecked": ("Not run: {reason}", "未运行：{reason}"),
    "code.writing": ("Writing …", "正在编写 …"),
    "code.stopped": ("Stopped", "已停止"),
    "code.parses": ("Parses", "语法正确"),
    "code.does_not_parse": ("Does not parse", "语法有误"),
    "code.prefix_broken": (
        "What stands before the cursor cannot begin a program that parses",
        "光标之前的代码本身就无法解析",
    ),
    "code.cut": ("Ended at the length limit", "达到长度上限而结束"),
    "code.tokens": ("{tokens} tokens", "{tokens} 个词元"),
    "code.seconds": ("{seconds} s", "{seconds} 秒"),
    "code.example.primes": ("Primes", "素数"),
    "code.example.palindrome": ("Palindrome", "回文"),
    "code.example.lru": ("LRU cache", "LRU 缓存"),
    "code.example.search": ("Binary search", "二分查找"),
    "code.example.counter": ("Word count", "词频统计"),
    "code.example.fib": ("Fibonacci", "斐波那契"),
    "code.example.stack": ("Stack", "栈"),
    "code.example.gcd": ("Greatest divisor", "最大公约数"),
    "code.example.area": ("Shapes", "图形面积"),
}


def text(key: str, language: Language, **values: object) -> str:
    """The words for `key`; `values` fill its placeholders."""
    english, chinese = _TEXTS[key]
    return (chinese if language == "zh" else english).format(**values)


_ERRORS: dict[type[Exception], str] = {
    NotReadyError: "error.loading",
    BusyError: "error.busy",
    ContextLengthError: "error.too_long",
    LanguageNotServedError: "error.language",
    ConflictError: "error.running",
    NotFoundError: "error.gone",
    DatabaseNotReadyError: "error.database",
    EngineClosedError: "error.stopping",
}


def error_text(error: Exception, language: Language) -> str:
    """What a person reads of an error: one friendly line, nothing of its insides."""
    if isinstance(error, RequestError) and error.parameter == "suffix":
        return text("error.cannot_fill", language)
    known = next((key for kind, key in _ERRORS.items() if isinstance(error, kind)), "error.other")
    return text(known, language)


def preferred(accept_language: str) -> Language:
    """The language of a browser that sends this header: Chinese if it stands before English."""
    for part in accept_language.lower().split(","):
        if part.strip().startswith("zh"):
            return "zh"
        if part.strip().startswith("en"):
            return "en"
    return "en"
