"""How a mail leaves: over SMTP, or into a folder where no mail server is known.

A channel hands a mail over to all who still lack it, or to nobody and says who is refused with which code; so both
sponsors get a joint message in the same moment. Codes only: a server's texts quote addresses, and stay here.
"""

from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager, suppress
from email.message import EmailMessage
from email.utils import parseaddr

import aiosmtplib

from activities.accounts import MailFolder, SmtpAccount
from web.mail import Envelope, mime

PERMANENT = 500  # from this code on a server will not change its mind (RFC 5321, 4.2.1)
CLOSING = 421  # the one code that speaks of the server and not of the recipient
OPERATION_SECONDS = 30.0  # for each command; a mail takes five or so


class Away(Exception):  # noqa: N818 - a state of the world, not a fault
    """Nothing can be handed over now. ``code`` is the server's, None where it did not answer."""

    def __init__(self, code: int | None = None) -> None:
        super().__init__(f"the mail server is away ({code or 'no answer'})")
        self.code = code


class Carrier(ABC):
    """A channel that is open, for one round of delivery."""

    @abstractmethod
    async def carry(self, envelope: Envelope) -> Mapping[str, int]:
        """Hand a mail over: an empty answer means taken; else nobody got it, and why by address.

        Raises:
            Away: and nobody knows whether it was taken, where that happens at the very end.
            Unsendable: the mail itself can never go.
        """


class Channel(ABC):
    """A way out. GOV.UK Notify would be another: it needs the mail's text and reference, not its MIME."""

    @property
    @abstractmethod
    def sender(self) -> str:
        """From whom mails come: an address, with or without a display name."""

    @abstractmethod
    def open(self) -> AbstractAsyncContextManager[Carrier]:
        """Open for a round; entering it raises ``Away`` where that cannot be done now."""


def channel_of(account: SmtpAccount | MailFolder) -> Channel:
    """The channel of an account."""
    return SmtpChannel(account) if isinstance(account, SmtpAccount) else FolderChannel(account)


class SmtpChannel(Channel):
    """A mail server."""

    def __init__(self, account: SmtpAccount) -> None:
        self._account = account

    @property
    def sender(self) -> str:
        """The account's."""
        return self._account.sender

    @asynccontextmanager
    async def open(self) -> AsyncIterator[Carrier]:
        """Connect, encrypt, log in; say goodbye at the end."""
        account = self._account
        client = aiosmtplib.SMTP(
            hostname=account.host,
            port=account.port,
            username=account.user,
            password=account.password,
            use_tls=account.tls,
            start_tls=account.starttls and not account.tls,
            timeout=OPERATION_SECONDS,
        )
        with _only_codes():
            await client.connect()
        try:
            yield _SmtpCarrier(client, account.sender)
        finally:
            with suppress(aiosmtplib.SMTPException, OSError):
                await client.quit()
            client.close()


class _SmtpCarrier(Carrier):
    def __init__(self, client: aiosmtplib.SMTP, sender: str) -> None:
        self._client = client
        self._sender = sender

    async def carry(self, envelope: Envelope) -> Mapping[str, int]:
        message = mime(envelope, self._sender)
        with _only_codes():
            await self._client.mail(parseaddr(self._sender)[1])
            refused = {address: code for address in envelope.to if (code := await self._refusal(address))}
            if refused:
                await self._client.rset()
                return refused
            code = await self._content_refusal(message)
        return dict.fromkeys(envelope.to, code) if code else {}

    async def _refusal(self, address: str) -> int | None:
        try:
            await self._client.rcpt(address)
        except aiosmtplib.SMTPRecipientRefused as refusal:
            if refusal.code == CLOSING:
                raise
            return refusal.code
        return None

    async def _content_refusal(self, message: EmailMessage) -> int | None:
        try:
            await self._client.data(message.as_bytes())
        except aiosmtplib.SMTPDataError as refusal:
            if refusal.code == CLOSING:
                raise
            return refusal.code
        return None


@contextmanager
def _only_codes() -> Iterator[None]:
    """What goes wrong with a server becomes ``Away``, without the server's words."""
    try:
        yield
    except (aiosmtplib.SMTPException, OSError) as error:
        raise Away(getattr(error, "code", None)) from None


class FolderChannel(Channel):
    """A folder: one file a mail, named by its reference, so that a repeat writes the same file again."""

    def __init__(self, folder: MailFolder) -> None:
        self._folder = folder

    @property
    def sender(self) -> str:
        """The folder's."""
        return self._folder.sender

    @asynccontextmanager
    async def open(self) -> AsyncIterator[Carrier]:
        """Make the folder, if it is not there; a full disk is a server that is away."""
        with _only_codes():
            self._folder.path.mkdir(parents=True, exist_ok=True)
        yield _FolderCarrier(self._folder)


class _FolderCarrier(Carrier):
    def __init__(self, folder: MailFolder) -> None:
        self._folder = folder

    async def carry(self, envelope: Envelope) -> Mapping[str, int]:
        content = mime(envelope, self._folder.sender).as_bytes()
        with _only_codes():
            (self._folder.path / f"{envelope.reference}.eml").write_bytes(content)
        return {}
