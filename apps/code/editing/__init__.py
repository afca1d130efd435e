"""An instruction on a selection: one road from it to the text that takes the selection's place."""

from apps.code.editing.edit import Edit
from apps.code.editing.editor import Editor
from apps.code.editing.replacement import Replacement

__all__ = ["Edit", "Editor", "Replacement"]
