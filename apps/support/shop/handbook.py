"""The policy handbook in the database: loaded from files, filled in from the policy, searched for answers."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable

from sqlalchemy import bindparam, delete, select, text
from sqlalchemy.orm import Session

from apps.support.shop.handbook_files import Article, read_articles
from apps.support.shop.models import PolicyArticle, PolicySection
from apps.support.shop.policy import Policy
from apps.support.shop.policy_words import fill, policy_words
from apps.support.shop.terms import IS_CJK, terms_of
from apps.support.words import languages, words_of

PACKAGED = files("apps.support.shop") / "handbook"
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


def searchterms_of(passage: str) -> str:
    """The words to index or to search by: lower case, and Chinese as overlapping pairs of characters.

    Chinese writes no spaces: neither SQLite's nor PostgreSQL's tokenizer finds its words; both find pairs.
    """
    return " ".join(terms_of(passage))


def load_handbook(
    session: Session, policy: Policy, root: Traversable = PACKAGED, source: str | None = None
) -> int:
    """Replace the stored handbook by `root`'s articles; returns their number.

    Raises HandbookError where one of them is wrong: nothing is changed then.
    """
    articles = read_articles(root, policy)
    session.execute(delete(PolicySection))
    session.execute(delete(PolicyArticle))
    for article in articles:
        stored = PolicyArticle(
            slug=article.slug, language=article.language, title="", source=source or str(root)
        )
        stored.markdown = article.markdown
        _fill(stored, article, policy)
        session.add(stored)
    session.flush()
    return len(articles)


def has_handbook(session: Session) -> bool:
    return session.scalar(select(PolicyArticle.id).limit(1)) is not None


def follow_policy(session: Session, policy: Policy) -> int:
    """Fill the policy's figures into the stored handbook anew; returns how many articles say something else by it.

    Who changes the policy need not load the handbook again. Raises WordsError for a figure that is no longer known.
    """
    changed = 0
    for stored in session.scalars(select(PolicyArticle).where(PolicyArticle.markdown.is_not(None))):
        if stored.language not in languages():
            continue
        article = Article(stored.language, stored.slug, stored.markdown or "")
        if _filled(article, policy) != [(part.heading, part.body) for part in stored.sections]:
            stored.sections.clear()
            session.flush()
            _fill(stored, article, policy)
            changed += 1
    session.flush()
    return changed


def search(
    session: Session, question: str, language: str, *, slugs: Iterable[str] = (), limit: int = 3
) -> list[Passage]:
    """The sections nearest to `question` in `language`, best first; of the articles `slugs` only, if named.

    SQLite ranks by BM25, PostgreSQL by its text-search rank.
    """
    asked = [term for term in dict.fromkeys(terms_of(question)) if term not in _stop_words()][
        :MOST_QUERY_TERMS
    ]
    same = _same_meaning()
    terms = list(dict.fromkeys([*asked, *(same[term] for term in asked if term in same)]))
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
    spoken = {_stem(term) for term in terms_of(f"{passage.citation} {passage.body}")}
    same = _same_meaning()
    spoken |= {_stem(same[term]) for term in terms_of(passage.body) if term in same}
    found = [term for term in asked if {_stem(term), _stem(same.get(term, term))} & spoken]
    return len(found) / len(asked)


def shared_words(question: str, sentence: str) -> int:
    """How many of the words that say what the question is about stand in the sentence."""
    return len(
        {_stem(term) for term in content_words(question)} & {_stem(term) for term in terms_of(sentence)}
    )


def content_words(question: str) -> list[str]:
    """The words that say what a question is about: no "what can I do?", and pairs of Chinese characters."""
    terms = dict.fromkeys(terms_of(_CHINESE_FUNCTION_WORDS.sub(" ", question)))
    return [term for term in terms if term not in _stop_words() and (len(term) > 1 or IS_CJK.match(term))]


def _stem(term: str) -> str:
    return term if IS_CJK.match(term) else term[:_PREFIX]


def _filled(article: Article, policy: Policy) -> list[tuple[str, str]]:
    values = policy_words(policy, article.language)
    return [(fill(heading, values), fill(body, values)) for heading, body in article.sections]


def _fill(stored: PolicyArticle, article: Article, policy: Policy) -> None:
    stored.title = title = fill(article.title, policy_words(policy, article.language))
    for heading, body in _filled(article, policy):
        # The heading says what the section is about: it counts three times as much as a word of the body.
        terms = searchterms_of(f"{title} {heading} {heading} {heading} {body}")
        stored.sections.append(PolicySection(heading=heading, body=body, terms=terms))


@cache
def _stop_words() -> frozenset[str]:
    """The words of all languages that say nothing of what a question is about."""
    return frozenset(word for language in languages() for word in words_of(language).search.stop_words)


@cache
def _same_meaning() -> Mapping[str, str]:
    """For a customer's word the handbook's."""
    return {
        alike: word
        for language in languages()
        for word, others in words_of(language).search.same_meaning.items()
        for alike in others
    }
