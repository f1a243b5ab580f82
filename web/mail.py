"""E-mails: a letter as text and as HTML, and the whole as a message that a mail server takes.

Nothing is loaded from outside and nothing tells who read what. A header value of more than one line is refused: whoever
could write a line break there could write further headers.
"""

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, parseaddr
from functools import cache
from pathlib import Path
from unicodedata import category

from jinja2 import ChainableUndefined, Environment, FileSystemLoader

from programme.post import MessageIssued
from web.calendar_file import calendar_file, method
from web.presenters import Letter

_POLICY = SMTP.clone(cte_type="7bit")  # any mail server takes it, whatever it says of 8 bits
_NO_HEADER = frozenset(
    {"Cc", "Cs", "Zl", "Zp"}
)  # Unicode categories: controls, lone surrogates, line and paragraph ends
_PLAIN_ADDRESS = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~.-]{1,64}@[A-Za-z0-9.-]{1,253}")


class Unsendable(ValueError):  # noqa: N818 - what the mail is, as a refusal is what a request is
    """This can never be sent as it is: a header of several lines, or no e-mail address. The text quotes neither."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A calendar file that travels with a mail. ``method`` is REQUEST or CANCEL."""

    method: str
    content: bytes


@dataclass(frozen=True, slots=True)
class Mail:
    """What is said, in both forms, whatever channel carries it."""

    subject: str
    text: str
    html: str
    calendar: Entry | None = None


@dataclass(frozen=True, slots=True)
class Envelope:
    """A mail and where it goes. Whoever is in ``to`` gets it, and sees who else does.

    reference: the same for every attempt, so that a repeat after a crash can be recognised.
    at: the instant of sending (with its zone).
    """

    mail: Mail
    to: tuple[str, ...]
    reference: str
    at: datetime


def written(letter: Letter, message: MessageIssued, *, organiser: str, to: Sequence[str], issued: datetime) -> Mail:
    """The mail of a letter, with a calendar file where the message invites.

    organiser, to: bare addresses. issued: the instant at which the message was issued.
    """
    invitation = message.invitation
    entry = None
    if invitation:
        file = calendar_file(invitation, organiser=organiser, attendees=to, issued=issued, link=letter.link)
        entry = Entry(method(invitation), file)
    page = _pages()
    return Mail(
        subject=letter.subject,
        text=page.get_template("message.txt.jinja").render(letter=letter),
        html=page.get_template("message.html.jinja").render(letter=letter),
        calendar=entry,
    )


def mime(envelope: Envelope, sender: str) -> EmailMessage:
    """The mail as a mail server takes it: text, HTML and calendar entry as alternatives, the file attached too.

    sender: an address with or without a display name.

    Raises:
        Unsendable: a header value has more than one line, or an address is none.
    """
    mail = envelope.mail
    message = EmailMessage(policy=_POLICY)
    message["From"] = one_line(sender)
    message["To"] = [_address(address) for address in envelope.to]
    message["Subject"] = one_line(mail.subject)
    message["Date"] = format_datetime(envelope.at)
    message["Message-ID"] = f"<{one_line(envelope.reference)}@{parseaddr(sender)[1].rpartition('@')[2]}>"
    message["Auto-Submitted"] = "auto-generated"  # RFC 3834: no out-of-office notes in return
    message.set_content(mail.text)
    message.add_alternative(mail.html, subtype="html")
    if mail.calendar:
        file = mail.calendar.content
        message.add_alternative(file.decode(), subtype="calendar", params={"method": mail.calendar.method})
        message.add_attachment(file, maintype="application", subtype="ics", filename="session.ics")
    return message


def reference(engagement_id: str, number: int, people: Sequence[str]) -> str:
    """What a message to these people is called, in every attempt: 32 hexadecimal digits that tell nothing."""
    content = "\n".join((engagement_id, str(number), *sorted(people)))
    return hashlib.sha256(content.encode()).hexdigest()[:32]


def one_line(value: str) -> str:
    """A header value as it is.

    Raises:
        Unsendable: it holds a control character or anything that somebody's program may take for the end of a line.
    """
    if any(category(character) in _NO_HEADER for character in value):
        raise Unsendable("a header value must be a single line")
    return value


def is_plain_address(value: str) -> bool:
    """Whether this is an ASCII address of the plain sort: no quotes, no spaces, no line breaks."""
    return _PLAIN_ADDRESS.fullmatch(value) is not None


def _address(value: str) -> Address:
    if not is_plain_address(value):
        raise Unsendable("this is no e-mail address that can be written to")
    return Address(addr_spec=value)


@cache
def _pages() -> Environment:
    return Environment(
        loader=FileSystemLoader(Path(__file__).parent / "templates" / "mail"),
        autoescape=True,
        undefined=ChainableUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
