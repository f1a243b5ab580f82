"""A trust whose post is tested: a mail server on loopback, a real database, and attempts of the activity."""

import asyncio
import dataclasses
import ssl
from collections.abc import Callable
from datetime import UTC, date, datetime
from email import message_from_bytes, policy
from email.message import EmailMessage

import pytest
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session
from temporalio.exceptions import ApplicationError
from temporalio.testing import ActivityEnvironment

from activities.post import PostActivities
from programme import chain
from programme.engagement import Engagement, RecordedEntry, step
from programme.messages import CLOCK, Event, Role
from programme.part import Asked
from programme.people import Enrolment
from programme.post import DIGEST, Invitation, Item, MessageIssued, ReportUndeliverable
from programme.stages.mandate import RegisterEngagement
from programme.template import ProgrammeTemplate
from programme.working_time import Calendar
from store import journal, outbox, read_model
from store.database import Database
from workflows.ports import POSTING, Delivery

SENDER = "Olive Branch <olive@trust.example>"
URL = "https://olive.trust.example"
ID = "0199a1b2-engagement"
NAMES = {
    "pm": "Petra Manning",
    "med": "Medina Sponsorova",
    "man": "Manfred Sponsorow",
    "d1": "Dora Docherty",
    "d2": "Dilip Doctorow",
    "m1": "Maya Manageress",
}
EASTER_MONDAY = date(2026, 4, 6)
WEDNESDAY = datetime(2026, 3, 4, 9, tzinfo=UTC)
CHECK_IN = Item(title="Send your check-in", task="1/delivery/check-in-a1/d1", rung="due+0", due=date(2026, 3, 4))
LATE = Item(
    title="Send your check-in",
    task="1/delivery/check-in-a1/d1",
    rung="due+10 both_sponsors",
    due=date(2026, 2, 18),
    escalation=True,
)
NEWS = Item(title="The diagnosis is ready to read", notice=3)
INVITATION = Invitation(
    uid="session-a@0199",
    title="Joint session A",
    starts=datetime(2026, 4, 15, 13, tzinfo=UTC),
    ends=datetime(2026, 4, 15, 16, tzinfo=UTC),
)


def email(person: str) -> str:
    return f"{NAMES[person].replace(' ', '.').lower()}@trust.example"


class MailServer:
    """A mail server on loopback. It answers an address as ``refusing`` says, and keeps what it took."""

    def __init__(self, tls: ssl.SSLContext | None = None) -> None:
        self._tls = tls
        self.took: list[EmailMessage] = []
        self.envelopes: list[list[str]] = []
        self.refusing: dict[str, str] = {}
        self.refusing_content = ""
        self.on_taken: Callable[[], object] = lambda: None
        self.logins: list[tuple[bytes, bytes]] = []
        self.encrypted: list[bool] = []  # whether each mail was, on its way
        self.port = 0
        self._server: asyncio.Server | None = None

    async def start(self) -> None:
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(self._conversation, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    def _conversation(self) -> SMTP:
        encrypted = self._tls is not None
        return SMTP(
            self,
            authenticator=self._authenticate,
            auth_require_tls=encrypted,
            require_starttls=encrypted,
            tls_context=self._tls,
            hostname="mail.test",
        )

    async def stop(self) -> None:
        if self._server:
            self._server.close()
            await self._server.wait_closed()

    def _authenticate(
        self, server: SMTP, session: Session, envelope: Envelope, mechanism: str, data: object
    ) -> AuthResult:
        del server, session, envelope, mechanism
        assert isinstance(data, LoginPassword)
        self.logins.append((data.login, data.password))
        return AuthResult(success=data.password == b"right", handled=False)

    async def handle_RCPT(  # noqa: N802 - the name and the shape that aiosmtpd asks for
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        del server, session, options
        if address in self.refusing:
            return f"{self.refusing[address]} {address} is not wanted here"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        del server
        self.encrypted.append(bool(session.ssl))
        if self.refusing_content:
            return f"{self.refusing_content} not this"
        assert isinstance(envelope.content, bytes)
        self.took.append(message_from_bytes(envelope.content, _class=EmailMessage, policy=policy.default))
        self.envelopes.append(list(envelope.rcpt_tos))
        self.on_taken()
        return "250 OK"

    @property
    def reached(self) -> list[str]:
        return [address for addresses in self.envelopes for address in addresses]


@dataclasses.dataclass
class Trust:
    """One engagement, its people, a mail server and the post."""

    database: Database
    server: MailServer
    ids: dict[str, str]
    post: PostActivities
    engagement_id: str = ID

    async def issue(
        self,
        *items: Item,
        to: str | tuple[str, ...] = "d1",
        at: datetime = WEDNESDAY,
        topic: str = DIGEST,
        invitation: Invitation | None = None,
    ) -> int:
        """Issue a message as the core does, and give its number."""
        names = (to,) if isinstance(to, str) else to
        event = MessageIssued(
            people=tuple(self.ids[name] for name in names),
            items=items,
            topic=topic,
            on=at.date(),
            invitation=invitation,
        )
        return await self.record([event], at)

    async def record(self, events: list[Event], at: datetime) -> int:
        async with self.database.writing() as connection:
            engagement = await read_model.standing(connection, ID)
            assert engagement
            entries = chain.record(engagement.sequence, engagement.digest, events, Asked(CLOCK, at))
            return await journal.append(connection, ID, [RecordedEntry(**entry.__dict__) for entry in entries])

    async def note(self, delivery: Delivery, at: datetime) -> None:
        """What the workflow does with a delivery: each report becomes an entry."""
        for lost in delivery.given_up:
            async with self.database.writing() as connection:
                engagement = await read_model.standing(connection, ID)
                assert engagement
                report = ReportUndeliverable(message=lost.message, people=lost.people)
                _, entries = step(engagement, report, Asked(CLOCK, at))
                await journal.append(connection, ID, [RecordedEntry(**entry.__dict__) for entry in entries])

    async def deliver(self, at: datetime = WEDNESDAY) -> Delivery:
        """One attempt of the activity, begun at an instant of the server's clock."""
        return await attempt(at).run(self.post.deliver, ID)

    async def waits(self, at: datetime = WEDNESDAY) -> ApplicationError:
        """An attempt that leaves something, and why."""
        with pytest.raises(ApplicationError) as raised:
            await self.deliver(at)
        assert not raised.value.non_retryable
        return raised.value

    async def standing(self) -> Engagement:
        async with self.database.reading() as connection:
            engagement = await read_model.standing(connection, ID)
        assert engagement
        return engagement

    async def left(self) -> list[outbox.Message]:
        async with self.database.reading() as connection:
            return await outbox.due(connection, ID, datetime(2030, 1, 1, tzinfo=UTC))


def attempt(at: datetime) -> ActivityEnvironment:
    environment = ActivityEnvironment()
    environment.info = dataclasses.replace(
        ActivityEnvironment.default_info(), started_time=at, start_to_close_timeout=POSTING["start_to_close_timeout"]
    )
    return environment


def registered(
    ids: dict[str, str], calendar: Calendar, template: ProgrammeTemplate | None = None
) -> RegisterEngagement:
    roles = {
        "pm": (Role.PROGRAMME_MANAGER,),
        "med": (Role.MEDICAL_SPONSOR,),
        "man": (Role.MANAGERIAL_SPONSOR,),
    }
    return RegisterEngagement(
        engagement=ID,
        ods_code="R1A",
        scope="Emergency department",
        local_problem="People wait too long",
        dpia_reference="D1",
        privacy_notice="1",
        k=11,
        template=template or ProgrammeTemplate(),
        calendar=calendar,
        people=tuple(Enrolment(person=ids[name], roles=roles.get(name, ())) for name in NAMES),
    )


def text_of(message: EmailMessage) -> str:
    body = message.get_body(("plain",))
    assert body
    return str(body.get_content())


def everything_in(message: EmailMessage) -> str:
    """Headers and every part, decoded: all that anybody on the way could read."""
    contents = [part.get_content() for part in message.walk() if not part.is_multipart()]
    parts = [content.decode() if isinstance(content, bytes) else content for content in contents]
    return "\n".join([*(f"{name}: {value}" for name, value in message.items()), *parts])
