"""Chats that are about a selection: what llama.vim and llama.vscode send when somebody edits with an instruction."""

from __future__ import annotations

import re
from dataclasses import replace

from apps.code.editing import Edit
from ui.openai.schemas import ChatRequest

_VIM_HEADING = re.compile(r"^--- (CONTEXT|PREFIX|SELECTION|SUFFIX) +-{40}\n", re.MULTILINE)
_VIM_PARTS = ["CONTEXT", "PREFIX", "SELECTION", "SUFFIX"]
_VIM_INSTRUCTION = "INSTRUCTION: "
_QUESTION = ("?", "？")


def edit_of(request: ChatRequest) -> Edit | None:
    """The edit that a chat describes, None for any other. Raises RequestError.

    A question about a selection is none: it is answered.
    """
    if request.shape is not None:
        return None
    found = _of_vscode(request) or _of_vim(request)
    if found is None or found.instruction.rstrip().endswith(_QUESTION):
        return None
    return replace(found, language=request.language, max_tokens=request.token_limit, window=request.window)


def _of_vim(request: ChatRequest) -> Edit | None:
    """llama.vim: the place in the first message, the instruction, still empty where it reads ahead, in the last.

    A further instruction is about what the one before it gave.
    """
    _, *parts = _VIM_HEADING.split(request.messages[0].text)
    said = request.messages[-1].text
    if parts[::2] != _VIM_PARTS or not said.startswith(_VIM_INSTRUCTION[: len(said)]):
        return None
    _, prefix, selection, suffix = (part.removesuffix("\n") for part in parts[1::2])
    given = [message.text for message in request.messages if message.role == "assistant"]
    selection = given[-1] if given else selection
    if not selection.strip():
        return None
    return Edit(
        said.removeprefix(_VIM_INSTRUCTION),
        f"{prefix}\n" if prefix else "",
        selection,
        f"\n{suffix}" if suffix else "",
    )


def _of_vscode(request: ChatRequest) -> Edit | None:
    """llama.vscode: all in the last message; what stands around the selection is not sent."""
    _, _, said = request.messages[-1].text.partition("\n\ninstructions:\n")
    instruction, _, code = said.partition("\n\noriginal code:\n")
    selection = code.removesuffix("\n\nmodified code:")
    return Edit(instruction, "", selection) if selection != code and selection.strip() else None
