"""Messages that no person wrote: who answers them talks to a machine, which answers again."""

from __future__ import annotations

import re

# RFC 3834, 3.1.5, recommends "Auto:" before the subject; the others are Exchange's in the languages of its interface,
# and what mail servers call a mail that they could not deliver. Desks put it before the text or into its own field.
_SUBJECT = re.compile(
    r"\s*(auto|auto[- ]?(reply|response)|automatic reply|out of (the )?office|automatische antwort"
    r"|abwesenheitsnotiz|réponse automatique|respuesta automática|risposta automatica"
    r"|automatisch antwoord|resposta automática|autosvar|automaattinen vastaus|autoodpowiedź"
    r"|automatická odpověď|автоматический ответ|otomatik yanıt|自动(答复|回复)|自動(回覆|応答)|자동 회신"
    r"|undeliver(able|ed mail)|mail delivery failed|delivery status notification|unzustellbar)\s*[:：(]",
    re.IGNORECASE,
)
_MAILBOX = re.compile(
    r"(no[-_.]?reply|do[-_.]?not[-_.]?reply|mailer-daemon|postmaster|bounces?)(?=[-+@._])", re.IGNORECASE
)


def is_automatic(text: str, *, subject: str = "", sender: str = "") -> bool:
    """Whether the message says of itself that a machine wrote it: by subject, beginning or sender's address."""
    return bool(_SUBJECT.match(subject) or _SUBJECT.match(text) or _MAILBOX.match(sender))
