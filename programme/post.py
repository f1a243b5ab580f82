"""What is said to whom, and how often: reminders, escalations and notices become messages.

At most one message a person a day and three a week; session notices are excepted, and escalations are not held back
by the weekly limit. Messages leave 8am to 6pm on working days, a patient-safety objection at once. Each (task, person,
rung) is sent at most once for ever. What is sent, and what is held back, is an event.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Literal, NamedTuple

from pydantic import Field

from programme.ladders import Audience, Planned, Rung
from programme.messages import Command, Due, Event, Frozen, PersonId, Role, Side, Task, TaskId
from programme.part import Asked, Part
from programme.refusals import Unknown
from programme.working_time import local_date, uk_date

if TYPE_CHECKING:
    from programme.engagement import Engagement

DIGEST, SESSION, PAUSE, SAFETY = "digest", "session", "pause", "safety"  # the topics of messages
OUTSIDE_LIMITS = frozenset({SESSION, SAFETY, PAUSE})


class Invitation(Frozen):
    """A calendar entry that travels with a message; the same ``uid`` at a higher ``revision`` updates or cancels it."""

    uid: str
    revision: int = 0
    cancelled: bool = False
    title: str
    starts: datetime
    ends: datetime
    place: str = ""


class Item(Frozen):
    """One line of a message. ``task`` and ``rung`` are set for a reminder or escalation, ``notice`` for a notice."""

    title: str
    task: TaskId = ""
    rung: str = ""
    notice: int = 0
    about: str = ""
    due: date | None = None
    why: str = ""
    escalation: bool = False


class Notice(Frozen):
    """News that waits to be told: to each of ``people`` apart, or to both sponsors ``together`` in one message."""

    id: int
    people: tuple[PersonId, ...]
    title: str
    about: str = ""
    topic: str = DIGEST
    raised: datetime
    together: bool = False
    invitation: Invitation | None = None


class Undelivered(Frozen):
    """A message that these people could not be given for 72 hours. ``settled``: they were reached in another way."""

    message: int
    people: tuple[PersonId, ...]
    since: date
    settled: bool = False


class Post(Frozen):
    """What was said and what waits. ``fired``: ``rung>person`` for each task; ``sent``: the days of the last week."""

    fired: dict[TaskId, tuple[str, ...]] = Field(default_factory=dict)
    notices: tuple[Notice, ...] = ()
    sent: dict[PersonId, tuple[date, ...]] = Field(default_factory=dict)
    undelivered: tuple[Undelivered, ...] = ()


# --- commands and events -------------------------------------------------------------------------------------------


class ReportUndeliverable(Command):
    """A message could not be delivered for 72 hours. Reported by the post, not by a person."""

    while_paused = True

    kind: Literal["ReportUndeliverable"] = "ReportUndeliverable"
    message: int
    people: tuple[PersonId, ...]


class SettleUndelivered(Command):
    """The people of an undelivered message have been reached in another way."""

    who = frozenset({Role.PROGRAMME_MANAGER})
    refusals = (Unknown,)

    kind: Literal["SettleUndelivered"] = "SettleUndelivered"
    message: int


Commands = ReportUndeliverable | SettleUndelivered


class NoticeRaised(Event):
    """There is news for people; it leaves with their next message."""

    kind: Literal["NoticeRaised"] = "NoticeRaised"
    people: tuple[PersonId, ...]
    title: str
    about: str = ""
    topic: str = DIGEST
    together: bool = False
    invitation: Invitation | None = None


class MessageIssued(Event):
    """A message was handed to the post. Its number is the sequence of this entry."""

    kind: Literal["MessageIssued"] = "MessageIssued"
    people: tuple[PersonId, ...]
    items: tuple[Item, ...]
    topic: str = DIGEST
    on: date
    invitation: Invitation | None = None


class RungSuppressed(Event):
    """A reminder was not sent, and why."""

    kind: Literal["RungSuppressed"] = "RungSuppressed"
    task: TaskId
    person: PersonId
    rung: str
    why: str


class MessageUndelivered(Event):
    """A message could not be delivered for 72 hours."""

    kind: Literal["MessageUndelivered"] = "MessageUndelivered"
    message: int
    people: tuple[PersonId, ...]
    on: date


class UndeliveredSettled(Event):
    """The programme manager reached the people in another way."""

    kind: Literal["UndeliveredSettled"] = "UndeliveredSettled"
    message: int


Events = NoticeRaised | MessageIssued | RungSuppressed | MessageUndelivered | UndeliveredSettled


# --- what waits to be sent -----------------------------------------------------------------------------------------


_ROLE_OF = {
    Audience.PROGRAMME_MANAGER: Role.PROGRAMME_MANAGER,
    Audience.FACILITATOR: Role.FACILITATOR,
    Audience.DEPUTY_APPROVER: Role.DEPUTY_APPROVER,
    Audience.MEDICAL_SPONSOR: Role.MEDICAL_SPONSOR,
}


def audience(engagement: Engagement, task: Task, rung: Rung) -> tuple[PersonId, ...]:
    """To whom a rung speaks, now: nobody who has gone; both sponsors, or neither while a successor is awaited."""
    if rung.to is Audience.BOTH_SPONSORS:
        both = len(engagement.sponsors) == len(Side) or engagement.template.ladder(task.ladder).urgent
        return engagement.sponsors if both else ()
    role = _ROLE_OF.get(rung.to)
    if role:
        return engagement.holders(role)
    if rung.to is Audience.HOLDER:
        people = (task.person, *engagement.hands_for(task))
    else:
        people = engagement.concerned(task.about, rung.to)
    return tuple(person for person in people if not engagement.people[person].gone)


class Earliest(NamedTuple):
    """The first instants at which something leaves: whatever the hour, and in sending hours only."""

    any_hour: datetime | None
    sending_hours: datetime | None


def earliest(engagement: Engagement, open_tasks: Sequence[Task]) -> Earliest:
    """When the next of ``rungs`` leaves, without putting them all into words."""
    found: dict[bool, datetime | None] = {True: None, False: None}  # by whether it leaves at any hour
    for task in open_tasks:
        urgent = engagement.template.ladder(task.ladder).urgent
        for at, _, _ in _rungs_of(engagement, task, found[urgent]):
            found[urgent] = _sooner(found[urgent], at)
    for notice in engagement.post.notices:
        urgent = notice.topic == SAFETY
        for people in _envelopes(notice):
            found[urgent] = _sooner(found[urgent], _told_at(engagement, notice, people))
    return Earliest(any_hour=found[True], sending_hours=found[False])


def _sooner(found: datetime | None, at: datetime) -> datetime:
    return at if found is None or at < found else found


def rungs(engagement: Engagement, open_tasks: Sequence[Task]) -> list[Due]:
    """Every reminder, escalation and notice that will go out if nobody does anything."""
    dues = [
        _due_of_rung(engagement, task, at, planned, people)
        for task in open_tasks
        for at, planned, people in _rungs_of(engagement, task)
    ]
    dues += [
        _due_of_notice(engagement, notice, people)
        for notice in engagement.post.notices
        for people in _envelopes(notice)
    ]
    return dues


def _rungs_of(
    engagement: Engagement, task: Task, before: datetime | None = None
) -> Iterator[tuple[datetime, Planned, tuple[PersonId, ...]]]:
    """What a task still has to say, when, and to whom. ``before``: leave out what cannot leave before an instant."""
    ladder = engagement.template.ladder(task.ladder)
    fired = engagement.post.fired.get(task.id, ())
    for planned in engagement.rung_days.of(task):
        if before is not None and planned.at >= before:
            return
        people = audience(engagement, task, planned.rung)
        together = planned.rung.to is Audience.BOTH_SPONSORS
        for addressed in (people,) if together else tuple((person,) for person in people):
            untold = tuple(person for person in addressed if f"{planned.name}>{person}" not in fired)
            if untold and (untold == addressed or ladder.urgent):  # what both were told once is not repeated to one
                free = ladder.urgent or ladder.notice
                at = planned.at if free else _held_up(engagement, planned, untold)
                yield at if ladder.urgent else engagement.when_there(untold, at), planned, untold


def _due_of_rung(
    engagement: Engagement, task: Task, at: datetime, planned: Planned, people: tuple[PersonId, ...]
) -> Due:
    verb = "Escalation" if planned.rung.escalates else "Reminder"
    what = f"{verb}: {task.title}"
    why = f"Due {uk_date(task.due.on)}: {task.due.why}" if task.due else f"Asked since {uk_date(task.opened)}"
    sends = not engagement.template.ladder(task.ladder).urgent
    return Due(at=at, key=f"rung:{task.id}:{planned.name}", what=what, why=why, sends=sends, people=people)


def _held_up(engagement: Engagement, planned: Planned, people: tuple[PersonId, ...]) -> datetime:
    """When a rung leaves, where somebody may have had a message on its day or later."""
    last = _last_told(engagement, people)
    held_up = last is not None and last >= planned.on
    return engagement.time.morning(last + timedelta(days=1)) if last and held_up else planned.at


def _last_told(engagement: Engagement, people: tuple[PersonId, ...]) -> date | None:
    sent = engagement.post.sent
    return max((day for person in people for day in sent.get(person, ())), default=None)


def _envelopes(notice: Notice) -> tuple[tuple[PersonId, ...], ...]:
    return (notice.people,) if notice.together else tuple((person,) for person in notice.people)


def _due_of_notice(engagement: Engagement, notice: Notice, people: tuple[PersonId, ...]) -> Due:
    at = _told_at(engagement, notice, people)
    what = f"Message: {notice.title}"
    sends = notice.topic != SAFETY
    return Due(at=at, key=f"notice:{notice.topic}:{notice.id}", what=what, why=what, sends=sends, people=people)


def _told_at(engagement: Engagement, notice: Notice, people: tuple[PersonId, ...]) -> datetime:
    """When news is told: at once, or the morning after the last message, or after a full week's; on a day of work."""
    if notice.topic == SAFETY:
        return notice.raised
    if notice.topic in OUTSIDE_LIMITS:
        return engagement.when_there(people, notice.raised)
    day, last = local_date(notice.raised), _last_told(engagement, people)
    if last is not None and last >= day:
        day = last + timedelta(days=1)
    day = _after_a_full_week(engagement, people, day)  # asked of the day on which it would leave
    return engagement.when_there(people, max(notice.raised, engagement.time.morning(day)))


def _after_a_full_week(engagement: Engagement, people: tuple[PersonId, ...], day: date) -> date:
    """News waits for Monday where somebody has had the week's messages; a reminder would be stale by then."""
    if any(_full_week(engagement, person, day) for person in people):
        return day + timedelta(days=7 - day.weekday())
    return day


def _full_week(engagement: Engagement, person: PersonId, day: date) -> bool:
    monday = day - timedelta(days=day.weekday())
    sent = sum(1 for other in engagement.post.sent.get(person, ()) if monday <= other <= day)
    return sent >= engagement.template.thresholds.messages_a_week


# --- issuing -------------------------------------------------------------------------------------------------------


def issue(engagement: Engagement, ready: Sequence[Due], open_tasks: Sequence[Task], asked: Asked) -> list[Event]:
    """Turn what is ready into messages: one for each envelope and topic, the joint ones first."""
    time_ = engagement.time
    there = [due for due in ready if not due.sends or engagement.when_there(due.people, asked.at) == asked.at]
    ready = [due for due in there if not due.sends or time_.may_send(asked.at)]
    return _Franking(engagement, open_tasks, asked).messages(ready) if ready else []


class _Franking:
    """One round of the post: what is ready, put into envelopes."""

    def __init__(self, engagement: Engagement, open_tasks: Sequence[Task], asked: Asked) -> None:
        self._engagement = engagement
        self._asked = asked
        self._tasks = {task.id: task for task in open_tasks}
        self._notices = {notice.id: notice for notice in engagement.post.notices}
        self._served: set[PersonId] = set()

    def messages(self, ready: Sequence[Due]) -> list[Event]:
        """The events of this round. What would be a person's second message today stays due for the next day."""
        envelopes: dict[tuple[tuple[PersonId, ...], str, int], list[Due]] = {}
        for due in sorted(ready, key=lambda due: due.at):
            envelopes.setdefault((due.people, *self._topic(due)), []).append(due)
        events: list[Event] = []
        for (people, topic, _), dues in sorted(envelopes.items(), key=lambda pair: (-len(pair[0][0]), pair[0])):
            if topic in OUTSIDE_LIMITS or not self._served.intersection(people):
                events += self._message(people, topic, dues)
        return events

    def _topic(self, due: Due) -> tuple[str, int]:
        """The topic of a due, and a number that keeps messages with their own calendar entry apart."""
        if due.key.startswith("notice:"):
            notice = self._notice(due)
            return notice.topic, notice.id if notice.invitation else 0
        ladder = self._engagement.template.ladder(self._tasks[_rung_key(due)[0]].ladder)
        return (SAFETY if ladder.urgent else SESSION if ladder.notice else DIGEST), 0

    def _notice(self, due: Due) -> Notice:
        return self._notices[int(due.key.rpartition(":")[2])]

    def _message(self, people: tuple[PersonId, ...], topic: str, dues: Sequence[Due]) -> Iterator[Event]:
        told = [self._notice(due) for due in dues if due.key.startswith("notice:")]
        lines = [Item(title=notice.title, notice=notice.id, about=notice.about) for notice in told]
        reminders, held_back = self._reminders(people, topic, [due for due in dues if due.key.startswith("rung:")])
        yield from held_back
        if lines or reminders:
            if topic not in OUTSIDE_LIMITS:
                self._served.update(people)
            invitation = next((notice.invitation for notice in told if notice.invitation), None)
            items = (*lines, *reminders)
            yield MessageIssued(people=people, items=items, topic=topic, on=self._asked.today, invitation=invitation)

    def _reminders(
        self, people: tuple[PersonId, ...], topic: str, dues: Sequence[Due]
    ) -> tuple[list[Item], list[RungSuppressed]]:
        """The latest rung of each task; an earlier one, or one too many for the week, is held back and says why."""
        items: dict[tuple[TaskId, bool], Item] = {}
        held_back = []
        for due in dues:
            task, rung = _rung_key(due)
            escalation = " " in rung
            if not escalation and topic == DIGEST and _full_week(self._engagement, people[0], self._asked.today):
                held_back += _suppressed(people, task, rung, "the person has had this week's messages")
                continue
            if earlier := items.get((task, escalation)):
                held_back += _suppressed(people, task, earlier.rung, "a later rung goes out with the same message")
            items[task, escalation] = _item(self._tasks[task], rung, escalation=escalation)
        return list(items.values()), held_back


def _suppressed(people: tuple[PersonId, ...], task: TaskId, rung: str, why: str) -> list[RungSuppressed]:
    return [RungSuppressed(task=task, person=person, rung=rung, why=why) for person in people]


def _rung_key(due: Due) -> tuple[TaskId, str]:
    _, task, rung = due.key.split(":", 2)
    return task, rung


def _item(task: Task, rung: str, *, escalation: bool) -> Item:
    due = task.due
    return Item(
        title=task.title,
        task=task.id,
        rung=rung,
        about=task.about,
        due=due.on if due else None,
        why=due.why if due else "",
        escalation=escalation,
    )


# --- decide --------------------------------------------------------------------------------------------------------


def report_undeliverable(engagement: Engagement, command: ReportUndeliverable, asked: Asked) -> list[Event]:
    """A message that did not reach everybody becomes a task of the programme manager. Said twice, it is heard once."""
    known = {person for one in engagement.post.undelivered if one.message == command.message for person in one.people}
    news = tuple(person for person in command.people if person not in known)
    return [MessageUndelivered(message=command.message, people=news, on=asked.today)] if news else []


def settle_undelivered(engagement: Engagement, command: SettleUndelivered, asked: Asked) -> list[Event]:
    """The people were reached in another way."""
    del asked
    if not any(one.message == command.message and not one.settled for one in engagement.post.undelivered):
        message = f"No undelivered message {command.message} waits. Look at your tasks for those that do."
        raise Unknown(message)
    return [UndeliveredSettled(message=command.message)]


# --- evolve --------------------------------------------------------------------------------------------------------


def _notice_raised(engagement: Engagement, event: NoticeRaised, at: datetime) -> Engagement:
    people = tuple(one for one in event.people if one not in engagement.people or not engagement.people[one].gone)
    if not people:  # whoever it was for has gone
        return engagement
    notice = Notice(
        id=engagement.sequence + 1,
        people=people,
        title=event.title,
        about=event.about,
        topic=event.topic,
        raised=at,
        together=event.together,
        invitation=event.invitation,
    )
    return _with(engagement, notices=(*engagement.post.notices, notice))


def _message_issued(engagement: Engagement, event: MessageIssued, at: datetime) -> Engagement:
    del at
    fired = dict(engagement.post.fired)
    for item in event.items:
        if item.task:
            fired[item.task] = (*fired.get(item.task, ()), *(f"{item.rung}>{person}" for person in event.people))
    told = {item.notice for item in event.items if item.notice}
    sent = engagement.post.sent
    if event.topic not in OUTSIDE_LIMITS:
        week_ago = event.on - timedelta(days=7)
        sent = {
            **sent,
            **{person: (*(day for day in sent.get(person, ()) if day > week_ago), event.on) for person in event.people},
        }
    notices = tuple(
        rest for notice in engagement.post.notices if (rest := _untold(notice, told, event.people)) is not None
    )
    return _with(engagement, fired=fired, sent=sent, notices=notices)


def _untold(notice: Notice, told: set[int], people: tuple[PersonId, ...]) -> Notice | None:
    if notice.id not in told:
        return notice
    left = tuple(person for person in notice.people if person not in people)
    return notice.model_copy(update={"people": left}) if left else None


def _rung_suppressed(engagement: Engagement, event: RungSuppressed, at: datetime) -> Engagement:
    del at
    fired = engagement.post.fired
    return _with(engagement, fired={**fired, event.task: (*fired.get(event.task, ()), f"{event.rung}>{event.person}")})


def _message_undelivered(engagement: Engagement, event: MessageUndelivered, at: datetime) -> Engagement:
    del at
    waiting = [one for one in engagement.post.undelivered if one.message == event.message and not one.settled]
    others = tuple(one for one in engagement.post.undelivered if one not in waiting)
    people = (*(person for one in waiting for person in one.people), *event.people)
    since = waiting[0].since if waiting else event.on
    return _with(engagement, undelivered=(*others, Undelivered(message=event.message, people=people, since=since)))


def _undelivered_settled(engagement: Engagement, event: UndeliveredSettled, at: datetime) -> Engagement:
    del at
    undelivered = tuple(
        one.model_copy(update={"settled": True}) if one.message == event.message else one
        for one in engagement.post.undelivered
    )
    return _with(engagement, undelivered=undelivered)


def _with(engagement: Engagement, **changes: object) -> Engagement:
    return engagement.but(post=engagement.post.model_copy(update=changes))


def forgotten(engagement: Engagement, prefix: str) -> Engagement:
    """Forget the fired rungs of a stage that has ended, but of its open tasks none: a rung fires once for ever."""
    still_open = {task.id for task in engagement.open_tasks}
    fired = {
        task: names
        for task, names in engagement.post.fired.items()
        if task in still_open or not task.startswith(prefix)
    }
    return _with(engagement, fired=fired)


def silenced(engagement: Engagement, person: PersonId) -> Engagement:
    """What still waits to be told to somebody who goes is told to the others only."""
    rest = (
        notice.model_copy(update={"people": tuple(one for one in notice.people if one != person)})
        for notice in engagement.post.notices
    )
    return _with(engagement, notices=tuple(notice for notice in rest if notice.people))


def tasks(engagement: Engagement) -> Iterator[Task]:
    """Undelivered messages, for the programme manager."""
    for one in engagement.post.undelivered:
        for manager in engagement.holders(Role.PROGRAMME_MANAGER) if not one.settled else ():
            yield Task(
                id=f"post/undelivered-{one.message}-{one.since}/{manager}",
                ladder="duty",
                person=manager,
                about=str(one.message),
                command="SettleUndelivered",
                title="Reach somebody whom our e-mail could not reach",
                opened=one.since,
                due=engagement.time.due(one.since, 2, "delivery was given up"),
            )


PART = Part(
    name="post",
    decide={ReportUndeliverable: report_undeliverable, SettleUndelivered: settle_undelivered},
    evolve={
        NoticeRaised: _notice_raised,
        MessageIssued: _message_issued,
        RungSuppressed: _rung_suppressed,
        MessageUndelivered: _message_undelivered,
        UndeliveredSettled: _undelivered_settled,
    },
    tasks=tasks,
)
