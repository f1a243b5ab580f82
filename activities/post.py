"""Delivery: each message that waits in the outbox leaves once, in sending hours; who cannot be reached is reported.

A message is marked as sent in a transaction of its own, right after the mail server took it: a crash in between repeats
one message, under the same Message-ID. Who is given up is told to the workflow first and only left out once the journal
says so; a crash can therefore not swallow the report. Clocks are the Temporal server's, never this machine's.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from email.utils import parseaddr

from sqlalchemy.ext.asyncio import AsyncConnection
from temporalio import activity
from temporalio.exceptions import ApplicationError, ApplicationErrorCategory

from activities.channels import PERMANENT, Away, Carrier, Channel
from activities.moments import linked_to
from programme.engagement import Engagement
from programme.messages import PersonId
from programme.post import SAFETY, MessageIssued, MessageUndelivered
from programme.working_time import local_date
from store import journal, outbox, people, read_model
from store.database import Database
from store.outbox import Message
from store.people import Address
from web.mail import Envelope, is_plain_address, reference, written
from web.presenters import Programme, letter
from workflows.ports import Delivery, GivenUp, Post

LONGEST_WAIT = timedelta(minutes=5)
"""Between two looks at the outbox: a message about patients' safety may join those that wait for the morning."""
SHARE_OF_TIME = 0.5  # of what Temporal gives an attempt: it must not run on while the next one is at work
SKEW = timedelta(hours=1)  # two hosts of a cluster may disagree; a message issued "in a moment" must not be passed over
_NOWHERE = 553  # the code with which a mail server says "mailbox name not allowed"


class PostActivities(Post):
    """The post. ``public_url`` begins every link; it has no closing slash."""

    def __init__(self, database: Database, channel: Channel, public_url: str) -> None:
        self._database = database
        self._channel = channel
        self._public_url = public_url

    @activity.defn(name="post.deliver")
    async def deliver(self, engagement_id: str) -> Delivery:
        """Send what waits in the outbox of an engagement.

        Raises:
            ApplicationError: something still waits: for the morning, for the mail server, or for a mailbox.
        """
        clock = _server_clock()
        round_ = await self._round(engagement_id, clock)
        if round_ is None:
            return Delivery()
        await round_.deliver()
        if round_.lost:
            return Delivery(given_up=tuple(round_.lost))  # the workflow notes them and asks again
        if round_.waits:
            raise round_.waits
        return Delivery()

    async def _round(self, engagement_id: str, clock: "_Clock") -> "_Round | None":
        """What waits, and all that is needed to write it: read as of one moment."""
        async with self._database.reading() as connection:
            waiting = await outbox.due(connection, engagement_id, clock.now() + SKEW)
            engagement = await read_model.standing(connection, engagement_id) if waiting else None
            if engagement is None:
                return None
            everybody = tuple({person for message in waiting for person in message.people})
            return _Round(
                database=self._database,
                channel=self._channel,
                clock=clock,
                engagement=engagement,
                programme=Programme(engagement.id, engagement.scope, frozenset(engagement.sponsors), self._public_url),
                waiting=waiting,
                given_up=await _given_up(connection, engagement_id, waiting),
                addresses=await people.addresses(connection, everybody),
            )


@dataclass(frozen=True)
class _Clock:
    """The server's clock, as far as an attempt can know it, and when the attempt should come to an end."""

    now: Callable[[], datetime]
    enough: Callable[[], bool]


def _server_clock() -> _Clock:
    # On the skipping server `current_attempt_scheduled_time` of a retry is when the attempt before it failed, so
    # that a message held back in the evening would find it evening for ever; `started_time` is right on both.
    info, loop = activity.info(), asyncio.get_running_loop()
    begun = loop.time()
    allowed = (info.start_to_close_timeout or timedelta(minutes=5)).total_seconds() * SHARE_OF_TIME

    def now() -> datetime:
        return info.started_time + timedelta(seconds=loop.time() - begun)

    def enough() -> bool:
        return activity.is_worker_shutdown() or loop.time() - begun > allowed

    return _Clock(now, enough)


async def _given_up(
    connection: AsyncConnection, engagement_id: str, waiting: Sequence[Message]
) -> Mapping[int, frozenset[PersonId]]:
    """For each message the people of whom the journal says that they could not be reached."""
    found: dict[int, frozenset[PersonId]] = {}
    after = min(message.message for message in waiting)
    while stored := await journal.entries(connection, engagement_id, after=after, kind="MessageUndelivered"):
        for event in (line.entry.event for line in stored):
            if isinstance(event, MessageUndelivered):
                found[event.message] = found.get(event.message, frozenset()).union(event.people)
        after = stored[-1].sequence
    return found


@dataclass
class _Round:
    """One attempt to deliver what waits. ``lost``: whom to give up; ``waits``: why something is still there."""

    database: Database
    channel: Channel
    clock: _Clock
    engagement: Engagement
    programme: Programme
    waiting: Sequence[Message]
    given_up: Mapping[int, frozenset[PersonId]]
    addresses: Mapping[PersonId, Address]
    lost: list[GivenUp] = field(default_factory=list)
    waits: ApplicationError | None = None

    async def deliver(self) -> None:
        """Hand over all that may leave now, the oldest first."""
        now = self.clock.now()
        ready = [message for message in self.waiting if await self._is_for_somebody(message)]
        leaving = [message for message in ready if self._may_leave(message, now)]
        if len(leaving) < len(ready):
            until = self.engagement.time.next_sending(now) - now
            self.waits = _waits("OutsideSendingHours", "outside sending hours", delay=min(until, LONGEST_WAIT))
        if leaving:
            await self._hand_over(leaving)

    async def _is_for_somebody(self, message: Message) -> bool:
        if self._readers(message):
            return True
        async with self.database.writing() as connection:
            await outbox.mark_given_up(connection, message.engagement_id, message.message, self.clock.now())
        return False

    async def _hand_over(self, leaving: Sequence[Message]) -> None:
        left = list(leaving)
        try:
            async with self.channel.open() as carrier:
                while left and self._may_leave(left[0], self.clock.now()) and not self.clock.enough():
                    linked_to(left[0].caused_by)
                    await self._deliver(carrier, left[0])
                    del left[0]
        except Away as away:
            self.waits = _waits("PostAway", "the mail server is away", away.code)
            for message in left:
                if self._is_old(message):
                    self.lost.append(GivenUp(message=message.message, people=self._readers(message)))
            return
        if left:
            self.waits = _waits("PostUnfinished", "there is more to send", delay=timedelta(seconds=1))

    async def _deliver(self, carrier: Carrier, message: Message) -> None:
        readers = self._readers(message)
        refused = {person: _NOWHERE for person in readers if not self._can_be_written_to(person)}
        if not refused and await self._is_still_due(message):
            refused = await self._carry(carrier, message, readers)
            if not refused:
                await self._note_sent(message)
        self._settle(message, refused)

    async def _is_still_due(self, message: Message) -> bool:
        """Count the attempt, unless another one has sent the message meanwhile."""
        async with self.database.writing() as connection:
            return await outbox.mark_attempt(connection, message.engagement_id, message.message)

    async def _carry(self, carrier: Carrier, message: Message, readers: tuple[PersonId, ...]) -> dict[PersonId, int]:
        """Write to the readers; who is refused, with which code."""
        try:
            envelope = self._envelope(message, readers)
            codes = await carrier.carry(envelope)
        except ValueError:  # it can not be written down as a mail, now or ever
            return dict.fromkeys(readers, _NOWHERE)
        addressed = zip(readers, envelope.to, strict=True)
        return {person: codes[address] for person, address in addressed if address in codes}

    def _envelope(self, message: Message, readers: tuple[PersonId, ...]) -> Envelope:
        now = self.clock.now()
        to = tuple(self.addresses[person].email for person in readers)
        issued = MessageIssued(
            people=readers,
            items=message.items,
            topic=message.topic,
            on=local_date(message.issued_at),
            invitation=message.invitation,
        )
        words = letter(issued, self.programme, name=self.addresses[readers[0]].name, today=local_date(now))
        organiser = parseaddr(self.channel.sender)[1]
        mail = written(words, issued, organiser=organiser, to=to, issued=message.issued_at)
        return Envelope(mail, to, reference(message.engagement_id, message.message, readers), now)

    async def _note_sent(self, message: Message) -> None:
        async with self.database.writing() as connection:
            await outbox.mark_sent(connection, message.engagement_id, message.message, self.clock.now())

    def _settle(self, message: Message, refused: Mapping[PersonId, int]) -> None:
        """Give up whom no further attempt can reach; try the others again."""
        old = self._is_old(message)
        hopeless = tuple(person for person, code in refused.items() if old or code >= PERMANENT)
        if hopeless:
            self.lost.append(GivenUp(message=message.message, people=hopeless))
        elif refused:
            self.waits = _waits("PostDeferred", "a mailbox takes nothing now", max(refused.values()), LONGEST_WAIT)

    def _readers(self, message: Message) -> tuple[PersonId, ...]:
        without = self.given_up.get(message.message, frozenset())
        return tuple(person for person in message.people if person not in without)

    def _can_be_written_to(self, person: PersonId) -> bool:
        address = self.addresses.get(person)
        return address is not None and is_plain_address(address.email)

    def _may_leave(self, message: Message, now: datetime) -> bool:
        return message.topic == SAFETY or self.engagement.time.may_send(now)

    def _is_old(self, message: Message) -> bool:
        hours = self.engagement.template.durations.undelivered_hours
        return self.clock.now() - message.issued_at >= timedelta(hours=hours)


def _waits(kind: str, text: str, code: int | None = None, delay: timedelta | None = None) -> ApplicationError:
    """Ask to be tried again; without a delay, when the port's policy says so. The text holds a code at most."""
    return ApplicationError(
        f"{text} ({code})" if code else text,
        type=kind,
        next_retry_delay=delay,
        category=ApplicationErrorCategory.BENIGN,
    )
