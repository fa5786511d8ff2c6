"""A text that is handed over to somebody: what it says, as a mail link, and the second one when no answer comes.

Invariant: nothing here sends anything, and an address stands in a mail link only where the text itself names one.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final
from urllib.parse import quote

from runbook.tui.present.text import clean, moment, one_line

_HEAD: Final = re.compile(r"(to|subject):[ \t]*(.*)", re.IGNORECASE)
_ADDRESS: Final = re.compile(r"[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,8}")

LONGEST_LINK: Final = 1900
"""In characters. Windows takes links of at most 2,083, so a longer text is not put into one.

Source: Windows SDK, wininet.h, INTERNET_MAX_URL_LENGTH.
"""


@dataclass(frozen=True, slots=True)
class Letter:
    """One text.

    Attributes:
        text: as it is copied and saved: its head (``To:``, ``Subject:``) if it has one, then the body.
        to: whom, in words; may be empty.
        subject: may be empty.
    """

    text: str
    to: str = ""
    subject: str = ""
    body: str = ""

    @property
    def address(self) -> str:
        """The mail address that the text names for its receiver; empty where it names none."""
        found = _ADDRESS.search(self.to)
        return found[0] if found else ""


def letter(draft: str) -> Letter:
    """Read a draft: lines ``To:`` and ``Subject:`` at its top, a blank line, the body. Any other text is all body."""
    text = clean(draft).strip("\n")
    rows = text.split("\n")
    head: dict[str, str] = {}
    while rows and (found := _HEAD.fullmatch(rows[0].strip())):
        head.setdefault(found[1].lower(), one_line(found[2]))
        rows.pop(0)
    if not head:
        return Letter(text, body=text)
    return Letter(text, head.get("to", ""), head.get("subject", ""), "\n".join(rows).strip("\n"))


def mail_link(of: Letter, *, has_body: bool = True) -> str:
    """A ``mailto:`` link; line ends in it are CRLF.

    Source: RFC 6068, sections 2 and 5.
    """
    parts = [("subject", of.subject)] if of.subject else []
    if has_body:
        parts.append(("body", of.body.replace("\n", "\r\n")))
    fields = "&".join(f"{name}={quote(value, safe='')}" for name, value in parts)
    return f"mailto:{quote(of.address, safe='@')}" + (f"?{fields}" if fields else "")


def fits(link: str) -> bool:
    """Whether a link is short enough to be handed to any mail program."""
    return len(link) <= LONGEST_LINK


def reminder(
    first: Letter | None, who: str, about: str, sent_ms: int | None, lasted: str, answered: str = ""
) -> Letter:
    """The second text, for when it has lasted longer than usual, where the step gives none of its own.

    Args:
        first: what was sent, if there was a text.
        who: whom it goes to, in words.
        about: what is waited for, in a few words.
        sent_ms: when the first text went out, if that is known.
        lasted: how long the wait has lasted, in words.
        answered: what they answered and what is still seen, as sentences; empty where they did not.
    """
    to = first.to if first and first.to else one_line(who)
    subject = first.subject if first and first.subject else one_line(about)
    subject = subject if subject.startswith("Reminder: ") else f"Reminder: {subject}"
    when = f" on {moment(sent_ms)}" if sent_ms is not None else ""
    silence, told = ("", f"{answered}\n\n") if answered else (" without an answer", "")
    body = (
        f"Hello,\n\nwe asked{when} and have waited for {lasted}{silence}: {one_line(about)}.\n\n"
        f"{told}"
        "Please tell us where it stands, when we can expect it, and whether anything is missing from us. If somebody "
        "else has to decide, please pass this on and tell us to whom."
    )
    if first and first.body:
        body += "\n\nThe first message:\n\n" + "\n".join(f"> {row}".rstrip() for row in first.body.split("\n"))
    else:
        body += "\n\nThank you."
    return Letter(f"To: {to}\nSubject: {subject}\n\n{body}", to, subject, body)


def file_name(run: str, node: str, kind: str) -> str:
    """A name for a file that holds a text: letters, digits and hyphens only."""
    parts = (re.sub(r"[^A-Za-z0-9]+", "-", part).strip("-") for part in (run, node.partition("[")[0], kind))
    return "-".join(part for part in parts if part)[:100] + ".txt"
