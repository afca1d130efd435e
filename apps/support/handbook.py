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

from apps.support.models import PolicyArticle, PolicySection

PACKAGED = files("apps.support") / "handbook"
_WORDS = re.compile(r"[\u3400-\u9fff]+|[^\W_\u3400-\u9fff]+")
_IS_CJK = re.compile(r"[\u3400-\u9fff]")
# fmt: off
_STOP_WORDS = frozenset((
    "a", "an", "and", "are", "be", "can", "could", "did", "do", "does", "for", "from", "have", "how",
    "i", "if", "in", "is", "it", "me", "my", "of", "on", "or", "please", "so", "that", "the", "there",
    "this", "to", "want", "was", "what", "when", "where", "which", "who", "will", "with", "would", "you",
    "your", "need", "like", "know", "tell", "about", "get", "请问", "我想", "想要", "可以", "怎么",
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
