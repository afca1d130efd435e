"""What the model is told. Each answer is one fenced block that the prefill has already opened."""

from __future__ import annotations

from langchain_core.prompts import ChatPromptTemplate

LANGUAGE_NAMES = {"python": "Python", "java": "Java", "cpp": "C++"}

# The wording that EvalPlus gives instruct models (github.com/evalplus/evalplus, evalplus/codegen.py).
WRITE = ChatPromptTemplate.from_messages(
    [
        (
            "human",
            "Please provide a self-contained {language_name} solution for the following problem "
            "in a markdown code block:\n{task}",
        )
    ]
)
TRANSLATE = ChatPromptTemplate.from_messages(
    [
        (
            "human",
            "Translate this {source_name} code to {target_name}. Keep its behaviour, its structure, its comments and "
            "what is public or private; use the names, the types and the library that are usual in {target_name}. "
            "Answer with one markdown code block.\n"
            "```{source}\n{code}\n```",
        )
    ]
)
TRANSLATE_PART = ChatPromptTemplate.from_messages(
    [
        (
            "human",
            "A {source_name} program is translated to {target_name} in parts. Of the parts before, this is there:\n"
            "```{target}\n{outline}\n```\n"
            "Translate this part alone, and repeat nothing of the others. Keep its behaviour, its structure, its "
            "comments and what is public or private; use the names, the types and the library that are usual in "
            "{target_name}. Answer with one markdown code block.\n```{source}\n{code}\n```",
        )
    ]
)
REPAIR = ChatPromptTemplate.from_messages(
    [
        *WRITE.messages,
        ("ai", "{draft}"),
        (
            "human",
            "This is wrong: {problem}.\nThink about what causes it and write the whole corrected solution "
            "in one markdown code block.",
        ),
    ]
)
REPAIR_TRANSLATION = ChatPromptTemplate.from_messages([*TRANSLATE.messages, *REPAIR.messages[-2:]])

USE = ChatPromptTemplate.from_messages(
    [
        *WRITE.messages,
        ("ai", "{draft}"),
        (
            "human",
            "Show by a short example how this is used: {language_name} code of at most 15 lines that makes what it "
            "needs, calls each public function once or twice in a sensible order and prints what comes of it with "
            "{prints}. Do not repeat the solution.",
        ),
    ]
)
RUN = ChatPromptTemplate.from_messages(
    [
        *WRITE.messages,
        ("ai", "{draft}"),
        (
            "human",
            "Show three runs of this program, one after another in the same folder, that try what it was asked for. "
            'Answer with JSON: "files" has the names and texts of the files that must be there before, "runs" the '
            "command line arguments of each run, without the program's name, and the lines that are typed into it.",
        ),
    ]
)
USED = "\n\nThis use of it must work:\n{usage}"


EDIT = ChatPromptTemplate.from_messages(
    [
        (
            "human",
            "Here is some {language_name}:\n{code}\n\nEdit it: {instruction}\nKeep all of it that this does not "
            "concern as it is. Answer with the whole edited {language_name} in one markdown code block.",
        )
    ]
)
"""The instruction comes last, so that all before it is read while somebody is still typing it."""


def fence(language: str) -> str:
    """The opening line of a code block."""
    return f"```{language}\n"


END_OF_BLOCK = "\n```"
