"""What belongs at a cursor: one road from a gap in a file to the text that is suggested for it."""

from apps.code.completion.completer import Completer
from apps.code.completion.gap import AUTOMATIC_FLOOR, GREEDY, Gap, OtherFile, Room
from apps.code.completion.suggestion import Suggestion

__all__ = ["AUTOMATIC_FLOOR", "GREEDY", "Completer", "Gap", "OtherFile", "Room", "Suggestion"]
