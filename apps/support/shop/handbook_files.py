"""A handbook as files: `<language>/<slug>.md`, a title, and sections with a heading each."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.resources.abc import Traversable

from apps.support.errors import HandbookError
from apps.support.shop.policy import Policy
from apps.support.shop.policy_words import policy_words
from apps.support.words import PLACEHOLDER, languages

MOST_TITLE_CHARACTERS = 255  # of the tables' columns
MOST_PROBLEMS = 20


@dataclass(frozen=True)
class Article:
    """One file. `{return_days}` and the like stand for what the shop's policy says."""

    language: str
    slug: str
    markdown: str

    @property
    def title(self) -> str:
        return self.markdown.lstrip().partition("\n")[0].removeprefix("#").strip()

    @property
    def sections(self) -> list[tuple[str, str]]:
        """Headings and bodies, each body on one line."""
        parts = re.split(r"^## +", self.markdown, flags=re.MULTILINE)[1:]
        split = (part.partition("\n") for part in parts)
        return [(heading.strip(), " ".join(body.split())) for heading, _, body in split]


def read_articles(root: Traversable, policy: Policy) -> list[Article]:
    """The articles of a folder. Raises HandbookError naming every file and line that is wrong."""
    if not root.is_dir():
        raise HandbookError(f"{root} is no folder")
    articles: list[Article] = []
    problems: list[str] = []
    for folder in sorted((item for item in root.iterdir() if item.is_dir()), key=lambda item: item.name):
        files = sorted(
            (item for item in folder.iterdir() if item.name.endswith(".md")), key=lambda item: item.name
        )
        if files and folder.name not in languages():
            spoken = ", ".join(languages())
            problems.append(f"{folder.name}/: not a language that the assistant speaks; these are {spoken}")
            continue
        for file in files:
            name = f"{folder.name}/{file.name}"
            try:
                text = file.read_bytes().decode("utf-8-sig")
            except UnicodeDecodeError as error:
                line = file.read_bytes()[: error.start].count(b"\n") + 1
                problems.append(f"{name}:{line}: not UTF-8")
                continue
            problems.extend(
                f"{name}:{line}: {problem}" for line, problem in _problems(text, policy, folder.name)
            )
            articles.append(Article(folder.name, file.name.removesuffix(".md"), text))
    if not articles and not problems:
        problems.append(f"{root} has no articles: they are files <language>/<name>.md, such as en/returns.md")
    if problems:
        raise HandbookError("the handbook was not loaded:\n" + "\n".join(problems[:MOST_PROBLEMS]))
    return articles


def _problems(text: str, policy: Policy, language: str) -> Iterator[tuple[int, str]]:
    """What is wrong with an article, by line."""
    known = policy_words(policy, language)
    lines = text.splitlines()
    first = next((number for number, line in enumerate(lines, start=1) if line.strip()), 1)
    if not text.strip() or not re.match(r"# +\S", lines[first - 1]):
        yield first, "the article must begin with its title, '# Title'"
    headings: dict[str, int] = {}
    section: tuple[int, str] | None = None  # of the last heading, as long as no text followed it
    for number, line in enumerate(lines, start=1):
        for name in PLACEHOLDER.findall(line):
            if name not in known:
                yield number, f"the policy has nothing called {{{name}}}"
        if line.startswith("##"):
            if section is not None:
                yield section[0], f"the section '{section[1]}' has no text"
            heading = line.removeprefix("##").strip()
            section = (number, heading)
            if not re.match(r"## +\S", line):
                yield number, "a section's heading is written '## Heading'"
            if heading in headings:
                yield number, f"the section '{heading}' stands in line {headings[heading]} already"
            headings.setdefault(heading, number)
        elif line.strip() and headings:
            section = None
        elif line.strip() and number != first:
            yield number, "text must stand in a section, under '## Heading'"
        if line.startswith("#") and len(line) > MOST_TITLE_CHARACTERS:
            yield number, f"a heading may have {MOST_TITLE_CHARACTERS} characters"
    if section is not None:
        yield section[0], f"the section '{section[1]}' has no text"
    if text.strip() and not headings:
        yield len(lines), "the article has no section, '## Heading'"
