"""Where mails go, as plain values: settings fill them in, channels use them. Nothing heavy is imported here."""

from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True, slots=True)
class SmtpAccount:
    """A mail server, and who we are to it.

    sender: an address, with or without a display name. starttls: nothing is sent before the connection is encrypted.
    tls: it is encrypted from the first byte, as on port 465, and ``starttls`` means nothing.
    """

    host: str
    port: int
    sender: str
    user: str | None = None
    password: str | None = field(default=None, repr=False)
    starttls: bool = True
    tls: bool = False


@dataclass(frozen=True, slots=True)
class MailFolder:
    """A folder that takes the mails where no server is known: in development, and in a rehearsal."""

    path: Path
    sender: str
