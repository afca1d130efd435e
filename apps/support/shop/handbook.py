"""The policy handbook: Markdown articles into sections, and the sections that answer a question."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from importlib.resources import files
from importlib.resources.abc import Traversable

from sqlalchemy import bindparam, delete, text
from sqlalchemy.orm import Session

from apps.support.shop.models import PolicyArticle, PolicySection

PACKAGED = files("apps.support.shop") / "handbook"
_WORDS = re.compile(r"[\u3400-\u9fff]+|[^\W_\u3400-\u9fff]+")
_IS_CJK = re.compile(r"[\u3400-\u9fff]")
# fmt: off
_STOP_WORDS = frozenset((
    "a", "an", "and", "are", "be", "can", "could", "did", "do", "does", "for", "from", "have", "how",
    "i", "if", "in", "is", "it", "me", "my", "of", "on", "or", "please", "so", "that", "the", "there",
    "this", "to", "want", "was", "what", "when", "where", "which", "who", "will", "with", "would", "you",
    "your", "need", "like", "know", "tell", "about", "get", "am", "any", "as", "at", "by", "but", "has",
    "he", "her", "him", "his", "just", "no", "not", "now", "our", "out", "she", "should", "some", "than",
    "their", "them", "then", "they", "too", "until", "up", "us", "we", "were", "why", "yes", "got", "take",
    "takes", "long", "much", "many", "make", "hi", "hello", "hey", "thanks", "thank", "anything", "something",
    "someone", "does", "doing", "give", "let", "also", "still", "ll", "re", "ve", "isn", "don", "doesn",
    "seems", "seem", "happens", "happen", "happened", "going", "into", "anyone", "possible",
    "请问", "我想", "想要", "可以", "怎么",
    "什么", "如何", "一下", "你们", "我的",
))
_SAME_MEANING = {
    "shipping": "delivery", "shipment": "delivery", "ship": "delivery", "deliver": "delivery",
    "arrive": "delivery", "parcel": "delivery", "package": "delivery", "reimbursement": "refund",
    "reimburse": "refund", "compensation": "refund", "penalty": "fee", "charge": "fee", "pay": "payment",
    "bill": "invoice", "receipt": "invoice", "guarantee": "warranty", "repair": "warranty",
    "fire": "safety", "smoke": "safety", "injury": "safety", "lawyer": "legal", "court": "legal",
    "sue": "legal", "gdpr": "privacy", "data": "privacy", "agent": "person", "human": "person",
    "feedback": "review", "swap": "exchange", "broken": "faulty", "送货": "配送", "发货": "配送",
    "快递": "配送", "物流": "配送", "运费": "配送", "退钱": "退款", "付款": "支付", "质保": "保修",
    "维修": "保修", "律师": "法律", "起火": "安全", "受伤": "安全", "真人": "人工", "账号": "账户",
}
# fmt: on
_ABROAD = (
    "abroad overseas international country countries internationally germany france italy spain austria poland "
    "netherlands belgium sweden denmark ireland portugal greece finland norway switzerland europe eu uk britain "
    "england scotland canada usa america states china singapore brazil mexico india japan korea australia africa "
    "russia turkey ukraine israel argentina chile taiwan thailand vietnam"
)
_SAME_MEANING |= dict.fromkeys(_ABROAD.split(), "abroad")
_SAME_MEANING |= {
    "broken": "faulty", "damaged": "faulty", "defective": "faulty", "defect": "faulty", "crushed": "faulty",
    "cracked": "faulty", "torn": "faulty", "opened": "open", "opening": "hours", "closed": "hours",
    "swap": "exchange", "replace": "exchange", "replacement": "exchange", "missing": "lost", "delayed": "late",
    "delay": "late", "costs": "cost", "price": "cost", "expensive": "cost", "arrived": "delivery",
    "courier": "delivery", "postage": "delivery", "money": "refund", "reach": "service", "contact": "service",
    "call": "service",
    "phone": "service", "open": "service", "login": "sign", "log": "sign",
    "账单": "发票", "海外": "境外", "国外": "境外", "国际": "境外", "坏了": "损坏", "破损": "损坏", "损坏": "损坏",
    "发错": "损坏", "寄": "配送", "送": "配送", "上班": "客服", "下班": "客服", "营业": "客服",
    "几点": "星期", "丢了": "丢失", "没到": "延误",
}  # fmt: skip
_CHINESE_FUNCTION_WORDS = re.compile(
    "请问|怎么样?|有?什么|规定|规则|政策|条款|如何|一下|你们|您们|我们|多久|多少|哪些|哪个|哪里|可以|能不能|是不是|有没有|可不可以|时候|"
    "[我你您他她它的了吗呢吧么啊呀能会要想有是在到就都还也和给把被让请]"
)
_PREFIX = 5  # letters of an English word that must agree: "deliver" and "delivery", "return" and "returned"
MOST_QUERY_TERMS = 32


@dataclass(frozen=True)
class Passage:
    """A section of the handbook that was found; `score` is larger for better."""

    section_id: int
    slug: str
    title: str
    heading: str
    body: str
    score: float

    @property
    def citation(self) -> str:
        return f"{self.title} › {self.heading}"


def search_terms(passage: str) -> str:
    """The words to index or to search by: lower case, and Chinese as overlapping pairs of characters.

    Chinese writes no spaces: neither SQLite's nor PostgreSQL's tokenizer finds its words; both find pairs.
    """
    return " ".join(_terms(passage))


def load_handbook(session: Session, root: Traversable = PACKAGED) -> int:
    """Replace the stored handbook by `root`'s articles `<language>/<slug>.md`; returns their number."""
    session.execute(delete(PolicySection))
    session.execute(delete(PolicyArticle))
    count = 0
    for folder in sorted((item for item in root.iterdir() if item.is_dir()), key=lambda item: item.name):
        for file in sorted(folder.iterdir(), key=lambda item: item.name):
            if file.name.endswith(".md"):
                session.add(_article(file.name.removesuffix(".md"), folder.name, file.read_text("utf-8")))
                count += 1
    session.flush()
    return count


def search(
    session: Session, question: str, language: str, *, slugs: Iterable[str] = (), limit: int = 3
) -> list[Passage]:
    """The sections nearest to `question` in `language`, best first; of the articles `slugs` only, if named.

    SQLite ranks by BM25, PostgreSQL by its text-search rank.
    """
    asked = [term for term in dict.fromkeys(_terms(question)) if term not in _STOP_WORDS][:MOST_QUERY_TERMS]
    terms = list(dict.fromkeys([*asked, *(_SAME_MEANING[term] for term in asked if term in _SAME_MEANING)]))
    if not terms:
        return []
    wanted = list(slugs)
    narrowed = "and a.slug in :slugs" if wanted else ""
    if session.get_bind().dialect.name == "sqlite":
        query = f"""
            select s.id, a.slug, a.title, s.heading, s.body, -bm25(policy_search) as score
            from policy_search join policy_sections s on s.id = policy_search.rowid
            join policy_articles a on a.id = s.article_id
            where policy_search match :terms and a.language = :language {narrowed}
            order by score desc, s.id limit :limit"""
        # Terms are letters and digits; the quotes keep words such as OR and NEAR from being operators.
        match = " OR ".join(f'"{term}"' for term in terms)
    else:
        query = f"""
            select s.id, a.slug, a.title, s.heading, s.body,
                   ts_rank(to_tsvector('english', s.terms), to_tsquery('english', :terms), 1) as score
            from policy_sections s join policy_articles a on a.id = s.article_id
            where to_tsvector('english', s.terms) @@ to_tsquery('english', :terms)
                  and a.language = :language {narrowed}
            order by score desc, s.id limit :limit"""
        match = " | ".join(f"'{term}'" for term in terms)
    statement = text(query)
    values: dict[str, object] = {"terms": match, "language": language, "limit": limit}
    if wanted:
        statement = statement.bindparams(bindparam("slugs", expanding=True))
        values["slugs"] = wanted
    return [Passage(*row) for row in session.execute(statement, values)]


def relevance(question: str, passage: Passage) -> float:
    """The share of the question's words that the passage speaks of: 0 for another topic, 1 for all of them."""
    asked = content_words(question)
    if not asked:
        return 0.0
    spoken = {_stem(term) for term in _terms(f"{passage.citation} {passage.body}")}
    spoken |= {_stem(_SAME_MEANING[term]) for term in _terms(passage.body) if term in _SAME_MEANING}
    found = [term for term in asked if {_stem(term), _stem(_SAME_MEANING.get(term, term))} & spoken]
    return len(found) / len(asked)


def shared_words(question: str, sentence: str) -> int:
    """How many of the words that say what the question is about stand in the sentence."""
    return len({_stem(term) for term in content_words(question)} & {_stem(term) for term in _terms(sentence)})


def content_words(question: str) -> list[str]:
    """The words that say what a question is about: no "what can I do?", and pairs of Chinese characters."""
    terms = dict.fromkeys(_terms(_CHINESE_FUNCTION_WORDS.sub(" ", question)))
    return [term for term in terms if term not in _STOP_WORDS and (len(term) > 1 or _IS_CJK.match(term))]


def _stem(term: str) -> str:
    return term if _IS_CJK.match(term) else term[:_PREFIX]


def _article(slug: str, language: str, markdown: str) -> PolicyArticle:
    head, *parts = re.split(r"^## +", markdown, flags=re.MULTILINE)
    title = head.strip().removeprefix("# ").strip()
    article = PolicyArticle(slug=slug, language=language, title=title)
    for part in parts:
        heading, _, body = part.partition("\n")
        heading, body = heading.strip(), " ".join(body.split())
        # The heading says what the section is about: it counts three times as much as a word of the body.
        terms = search_terms(f"{title} {heading} {heading} {heading} {body}")
        article.sections.append(PolicySection(heading=heading, body=body, terms=terms))
    return article


def _terms(passage: str) -> Iterable[str]:
    for match in _WORDS.finditer(unicodedata.normalize("NFKC", passage).lower()):
        word = match[0]
        if not _IS_CJK.match(word) or len(word) == 1:
            yield word
        else:
            yield from (word[start : start + 2] for start in range(len(word) - 1))
