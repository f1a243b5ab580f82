"""What the workflow needs of the world: messages in, and activities out, each with its timeouts and retries.

An implementation subclasses the port in ``activities/`` and repeats the activity's name; the workflow never imports it.
"""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from pydantic import Field
from temporalio import activity
from temporalio.common import RetryPolicy

from programme.engagement import AnyCommand, Engagement, RecordedEntry
from programme.messages import Frozen, PersonId
from workflows.addresses import POST_QUEUE

Causes = dict[int, tuple[str, ...]]
"""The requests (each a W3C ``traceparent``) of which messages are a consequence, by the entry that issues each.

Empty while nobody traces. It leads from an e-mail to who asked for what it tells of; nothing is decided by it.
"""


class Submission(Frozen):
    """A command on its way in. ``expected``: the version of the engagement that the caller saw, if it cares.

    ``seen``: the last entry that the caller has seen in the journal. The answer leaves out what came before; nothing is
    dropped for it, so that a caller who is wrong about it only has to ask again.
    """

    command_id: str
    by: PersonId
    on_behalf_of: PersonId | None = None
    expected: int | None = None
    seen: int = 0
    caused_by: str | None = None  # the request, as in ``Causes``
    command: AnyCommand


class Accepted(Frozen):
    """What a command led to: entries ``first`` to ``last`` (``last < first`` where nothing was news).

    ``tail`` holds every entry not yet confirmed in the journal, in order and without gaps, cut at ``TAIL_LIMIT``.
    """

    sequence: int
    digest: str
    first: int
    last: int
    tail: tuple[RecordedEntry, ...] = ()
    causes: Causes = Field(default_factory=dict)


class Standing(Frozen):
    """Where the running workflow stands: what the verifier holds against the journal."""

    sequence: int
    digest: str
    recorded: int


@dataclass(frozen=True, slots=True)
class Remembered:
    """A command that was accepted, by the digest of its content, and the entries that it led to.

    A plain value without what a model carries: an engagement keeps hundreds of them.
    """

    digest: str
    first: int
    last: int


class Carried(Frozen):
    """What a run begins with: nothing at launch, everything after continue-as-new."""

    engagement: Engagement = Engagement()
    unrecorded: tuple[RecordedEntry, ...] = ()
    recorded: int = 0
    remembered: dict[str, Remembered] = Field(default_factory=dict)
    issued: int = 0  # sequence of the last message issued, and of the last one that the post has dealt with
    posted: int = 0
    # By which request a task or news came to be, as in ``Causes``.
    asked_for: dict[str, str] = Field(default_factory=dict)


class Reached(Frozen):
    """An entry by its place and digest. The digest is of a chain, so it stands for all entries before it too."""

    sequence: int
    digest: str


class Batch(Frozen):
    """Entries for the journal of one engagement, in order and without gaps.

    ``reached`` in place of entries only asks how far the journal has come, and whether it agrees up to there.
    """

    engagement_id: str
    entries: tuple[RecordedEntry, ...] = ()
    causes: Causes = Field(default_factory=dict)
    reached: Reached | None = None


class Close(Frozen):
    """A questionnaire window to close. ``key`` is ``<cycle>/<survey>/<window>/<full or combined>``."""

    engagement_id: str
    key: str


class GivenUp(Frozen):
    """A message that could not be delivered to these people."""

    message: int
    people: tuple[PersonId, ...]


class Delivery(Frozen):
    """What came of a delivery round."""

    given_up: tuple[GivenUp, ...] = ()


class Request(Frozen):
    """A command for one engagement, handed in by a workflow: the same ``command_id`` again happens once."""

    engagement_id: str
    submission: Submission


class Reply(Frozen):
    """What came of a request. ``refused``: the code of the refusal and ``why`` its sentence; empty if it was taken.

    ``first`` to ``last``: the entries that it led to (``last < first`` where nothing was news). The code
    ``NO_ENGAGEMENT``: no workflow of this engagement runs, because it has ended.
    """

    engagement_id: str
    refused: str = ""
    why: str = ""
    first: int = 0
    last: int = -1

    @property
    def events(self) -> int:
        """How many entries of the history it led to."""
        return max(0, self.last - self.first + 1)


class Journal(ABC):
    """The record."""

    @activity.defn(name="journal.append")
    @abstractmethod
    async def append(self, batch: Batch) -> int:
        """Append entries, each once, and fold the read model; returns the last sequence in the journal.

        Without entries nothing is appended.
        """


class Post(ABC):
    """The post."""

    @activity.defn(name="post.deliver")
    @abstractmethod
    async def deliver(self, engagement_id: str) -> Delivery:
        """Send what waits in the outbox of an engagement, each message once; fails while the mail server is away."""


class Questionnaires(ABC):
    """The confidential store, seen from the programme."""

    @activity.defn(name="diagnosis.close")
    @abstractmethod
    async def close(self, close: Close) -> str:
        """Compute the pack, destroy the links between answers and people; returns the pack's digest."""


class Engagements(ABC):
    """Running engagements, seen from another workflow: only an activity may ask one of them for an update."""

    @activity.defn(name="engagements.submit")
    @abstractmethod
    async def submit(self, request: Request) -> Reply:
        """Hand a command in and say what came of it; a refusal is an answer, not a fault. Safe to repeat.

        What follows from it is recorded by the engagement's own workflow, a moment later.
        """


class Behind(Frozen):
    """An engagement that goes by another calendar than the newest. ``sequence``: its version as the lists know it."""

    engagement_id: str
    sequence: int


class Looked(Frozen):
    """A page of open engagements that was looked at: how many, and which are behind. ``last`` empty: there are none."""

    number: int
    behind: tuple[Behind, ...] = ()
    last: str = ""


class Calendars(ABC):
    """The newest calendars: what is published, and what was announced since."""

    @activity.defn(name="calendars.look")
    @abstractmethod
    async def look(self, after: str) -> Looked:
        """The next open engagements after an id, and which of them go by an older calendar."""

    @activity.defn(name="calendars.bring")
    @abstractmethod
    async def bring(self, behind: Behind) -> Reply:
        """Bring the newest calendar to an engagement. Safe to repeat."""


class Replanning(Frozen):
    """How far the newest calendars have been brought, by numbers of engagements.

    ``changed``: they go by another calendar now. ``refused``: they would not take it, or have ended meanwhile.
    ``failed``: they did not answer; the next round asks them again. ``events``: entries of all their histories.
    """

    looked_at: int = 0
    changed: int = 0
    refused: int = 0
    failed: int = 0
    events: int = 0
    rounds: int = 0  # times that all engagements were looked at to the end
    after: str = ""  # the last engagement of the round so far
    again: bool = False  # something was announced meanwhile: a further round follows


class BulkRun(Frozen):
    """A request of many engagements that is to be foreseen (``dry``), or carried out. The request itself is in SQL."""

    bulk_id: str
    dry: bool = False


class BulkPage(Frozen):
    """The next engagements to ask. None: nobody waits for being asked, or the request was stopped."""

    requests: tuple[Request, ...] = ()


class BulkReply(Frozen):
    """What an engagement has answered to a request of many. ``reply`` None: it did not answer, and is asked again."""

    bulk_id: str
    engagement_id: str
    reply: Reply | None


class Bulks(ABC):
    """Requests of many engagements: which they ask, and what has been answered."""

    @activity.defn(name="bulk.foresee")
    @abstractmethod
    async def foresee(self, bulk_id: str) -> int:
        """Foresee what would come of the next few; returns how many those were (0: all have been foreseen)."""

    @activity.defn(name="bulk.next")
    @abstractmethod
    async def next_page(self, bulk_id: str) -> BulkPage:
        """The next that wait; where nobody does, the request is finished."""

    @activity.defn(name="bulk.note")
    @abstractmethod
    async def note(self, reply: BulkReply) -> None:
        """Write down an answer, once."""


class Offering(Frozen):
    """How far the newest templates have been offered: to how many engagements, and after which one it goes on."""

    offered: int = 0
    failed: int = 0  # they did not answer; the next morning's round asks them again
    after: str = ""


class Renewing(Frozen):
    """A page of engagements in renewal: those to which a newer template can be offered. ``last`` empty: no more."""

    behind: tuple[Behind, ...] = ()
    last: str = ""


class Offers(ABC):
    """The newest templates, and the engagements whose next cycle they are for."""

    @activity.defn(name="offers.look")
    @abstractmethod
    async def look(self, after: str) -> Renewing:
        """The next engagements in renewal after an id whose template has a newer version that they do not know."""

    @activity.defn(name="offers.offer")
    @abstractmethod
    async def offer(self, behind: Behind) -> Reply:
        """Offer an engagement the newest version of its template. Safe to repeat."""


# A database may be away for an hour and a mail server for days: what is recorded or promised is tried for ever.


def _for_ever(first: timedelta, longest: timedelta) -> RetryPolicy:
    return RetryPolicy(initial_interval=first, backoff_coefficient=2, maximum_interval=longest)


APPENDING: dict[str, Any] = {
    "start_to_close_timeout": timedelta(seconds=30),
    "retry_policy": _for_ever(timedelta(milliseconds=500), timedelta(seconds=30)),
}
APPENDING_LAST: dict[str, Any] = {  # before a run is left: the next one takes over what is not appended
    "schedule_to_close_timeout": timedelta(seconds=10),
    "retry_policy": RetryPolicy(maximum_attempts=1),
}
POSTING: dict[str, Any] = {
    "task_queue": POST_QUEUE,
    "start_to_close_timeout": timedelta(minutes=5),
    "retry_policy": _for_ever(timedelta(seconds=15), timedelta(minutes=15)),
}
CLOSING: dict[str, Any] = {
    "start_to_close_timeout": timedelta(minutes=2),
    "retry_policy": _for_ever(timedelta(seconds=1), timedelta(minutes=5)),
}
SUBMITTING: dict[str, Any] = {  # one engagement that does not answer must not hold up the others for ever
    "start_to_close_timeout": timedelta(seconds=30),
    "schedule_to_close_timeout": timedelta(minutes=15),
    "retry_policy": _for_ever(timedelta(milliseconds=500), timedelta(minutes=1)),
}

ASKING: dict[str, Any] = {**SUBMITTING, "schedule_to_close_timeout": timedelta(minutes=2)}  # then the others' turn
FORESEEING: dict[str, Any] = {
    "start_to_close_timeout": timedelta(minutes=2),
    "retry_policy": _for_ever(timedelta(milliseconds=500), timedelta(minutes=1)),
}
LOOKING: dict[str, Any] = {
    "start_to_close_timeout": timedelta(seconds=30),
    "retry_policy": _for_ever(timedelta(milliseconds=500), timedelta(minutes=1)),
}

NO_ENGAGEMENT = "NoEngagement"
BROUGHT_AT_ONCE = 20  # engagements that re-plan at the same time: the rest of a worker is for people
ASKED_AT_ONCE = 10  # engagements of one request that are asked at the same time
TAIL_LIMIT = 200  # entries in one answer or one append: far below Temporal's 2 MiB a payload
REMEMBERED_LIMIT = 256  # commands; the front door keeps keys for longer
RUN_EVENTS = 1000  # history events of a run before it continues as new: replay stays well under a second
APPEND_AFTER = timedelta(seconds=20)  # for what a killed front door has not appended; see decision 0002
APPEND_AT = 50  # unrecorded entries: every answer carries them all, so that they must not become many
COMING_TO_REST = timedelta(seconds=10)  # for what the world is doing when a run ends, before it is called off
SPIN_GUARD = timedelta(minutes=1)
UNREGISTERED = timedelta(days=1)  # after which a run that was started and never registered ends
