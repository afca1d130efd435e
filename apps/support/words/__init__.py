"""The assistant's words, one file for each language that it speaks: `<code>.toml` beside this one.

A further language is a further file. It must have every key of the English one and the same placeholders.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from apps.support.errors import WordsError, problems_of

Language = str
"""The code of a language that has a file of words, such as "en"."""
FOLDER = files("apps.support.words")
DEFAULT = "en"
"""The language of the reference file, and of a customer of whom none is known."""

PLACEHOLDER = re.compile(r"\{([A-Za-z_][A-Za-z0-9_]*)\}")
"""A name in braces; braces around anything else are text."""

_UNSPOKEN = "unspoken.toml"
Text = Annotated[str, Field(min_length=1)]
Texts = Mapping[str, Text]


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class DateWords(_Table):
    """Babel's patterns: as a sentence writes a day, and as a reply may besides."""

    text: Text
    forms: tuple[Text, ...]


class FigureWords(_Table):
    """How numbers are said; `held_back` are words that state one, a day or a state."""

    numbers: tuple[Text, ...]
    ranges: Annotated[tuple[Text, ...], Field(min_length=1)]
    between: Text
    units: tuple[Text, ...]
    held_back: tuple[Text, ...]


class SearchWords(_Table):
    stop_words: tuple[Text, ...]
    same_meaning: Mapping[str, tuple[Text, ...]]


class PromptExample(_Table):
    message: Text
    facts: Text
    reply: Text


class PromptWords(_Table):
    system: Text
    adapter_system: Text
    turn: Text
    examples: tuple[PromptExample, ...]


class Words(_Table):
    """One language's file; docs/support.md explains its tables."""

    space: str  # between two sentences
    sentences: Texts
    status: Texts
    methods: Texts
    refund_times: Texts
    phrases: Texts
    policy: Mapping[str, Texts]
    dates: DateWords
    figures: FigureWords
    topics: Texts
    search: SearchWords
    prompt: PromptWords

    @property
    def writes_spaces(self) -> bool:
        """Whether words are set apart, unlike in Chinese."""
        return bool(self.space)


@cache
def languages() -> tuple[str, ...]:
    """The codes of the languages that have a file, English first."""
    found = (file.name for file in FOLDER.iterdir() if file.name.endswith(".toml"))
    codes = {name.removesuffix(".toml") for name in found if name != _UNSPOKEN}
    return (DEFAULT, *sorted(codes - {DEFAULT}))


@cache
def words_of(language: str) -> Words:
    """The words of a language that is spoken. Raises WordsError naming the file and the key that is wrong."""
    words = read_words(FOLDER / f"{language}.toml")
    if language != DEFAULT:
        check_same_keys(words, words_of(DEFAULT), f"{language}.toml", f"{DEFAULT}.toml")
    return words


def listing(parts: Sequence[str], language: str, joint: Literal["and", "or"] = "and") -> str:
    """ "a, b and c"; in Chinese "a、b、c"; of nothing the word for that."""
    phrases = words_of(language).phrases
    return join(parts or [phrases["nothing"]], phrases["comma"], phrases[joint])


def join(parts: Sequence[str], comma: str, last: str) -> str:
    return parts[0] if len(parts) == 1 else f"{comma.join(parts[:-1])}{last}{parts[-1]}"


def read_words(file: Traversable) -> Words:
    """One file of words. Raises WordsError."""
    try:
        return Words.model_validate(read_toml(file))
    except ValidationError as error:
        raise WordsError(f"the words {file.name} cannot be used: {problems_of(error)}") from error


def read_toml(file: Traversable) -> dict[str, Any]:
    try:
        return tomllib.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise WordsError(f"there are no words {file.name}; spoken are {', '.join(languages())}") from error
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise WordsError(f"the words {file.name} are no TOML: {error}") from error


def check_same_keys(words: Words, reference: Words, name: str, reference_name: str) -> None:
    """Raise WordsError where `words` lacks a key of the reference, has another one, or fills in other values."""
    texts, wanted = dict(_texts(words)), dict(_texts(reference))
    problems = [f"'{key}' is missing" for key in wanted if key not in texts]
    problems += [f"{reference_name} has no '{key}'" for key in texts if key not in wanted]
    for key in wanted:
        mine, theirs = placeholders(texts.get(key, wanted[key])), placeholders(wanted[key])
        if mine != theirs:
            problems.append(f"'{key}' must fill in {_listed(theirs)}, not {_listed(mine)}")
    if problems:
        raise WordsError(f"the words {name} cannot be used: {'; '.join(problems)}")


def placeholders(text: str) -> frozenset[str]:
    """The names in braces."""
    return frozenset(PLACEHOLDER.findall(text))


def _texts(words: Words) -> Iterator[tuple[str, str]]:
    """Every text that each language must have, under the key by which the file names it."""
    for table in ("sentences", "status", "methods", "refund_times", "phrases", "topics"):
        for key, text in getattr(words, table).items():
            yield f"{table}.{key}", text
    for key, ways in words.policy.items():
        for way, text in ways.items():
            yield f"policy.{key}.{way}", text
    yield "figures.between", words.figures.between
    yield "prompt.turn", words.prompt.turn


def _listed(names: frozenset[str]) -> str:
    return ", ".join(f"{{{name}}}" for name in sorted(names)) or "nothing"
