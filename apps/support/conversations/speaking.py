"""From what a turn came to, to the words of its reply, streamed."""

from __future__ import annotations

from collections.abc import Generator, Sequence

from apps.support.conversations.turn import Answered, Incoming, Settled
from apps.support.reading.identifiers import without_emails
from apps.support.replies.sentences import Note, joined
from apps.support.replies.writer import ReplyWriter, Spoken


def speak(replies: ReplyWriter, incoming: Incoming, settled: Settled) -> Generator[str, None, Spoken]:
    """Each wish by itself, so that a figure is only ever said of what it is the figure of.

    What waits for an answer is heard last.
    """
    whole = Spoken("")
    ordered = sorted(settled.answers, key=lambda answer: answer.outcome.asks)
    told: set[str] = set()
    for answered in ordered:
        notes = [note for note in answered.outcome.notes if note.text not in told]
        told |= {note.text for note in notes}
        if not notes:
            continue
        if whole.text:
            whole.text += "\n"
            yield "\n"
        whole.add((yield from _speak_about(replies, incoming, answered, notes)))
    if settled.closing:
        closing = f"\n{settled.closing}" if whole.text else settled.closing
        whole.text += closing
        yield closing
    return whole


def _speak_about(
    replies: ReplyWriter, incoming: Incoming, answered: Answered, notes: Sequence[Note]
) -> Generator[str, None, Spoken]:
    outcome, language = answered.outcome, incoming.language
    written = joined([note.text for note in notes], language)
    # Without facts there is nothing to put into words, and a small model then says something else.
    if outcome.exact or not any(note.facts for note in notes):
        spoken = Spoken("", written)
        yield spoken.text
    else:
        text = without_emails(answered.wish.text)
        spoken = yield from replies.stream(notes, text, language, incoming.state.segment)
        # A bad draw must not become the example that the next reply follows.
        incoming.state.remember(spoken.prompt, spoken.text if spoken.source == "model" else written)
    if outcome.citations:
        cited = f" ({'; '.join(outcome.citations)})"
        spoken.text += cited
        yield cited
    return spoken
