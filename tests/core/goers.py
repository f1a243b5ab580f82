"""People who come and go, in programmes of chance: last days, successors, cover and days off.

``GOING`` says what somebody sensible does about the tasks of a handover; ``LEAVING`` what people do unasked.
"""

from collections.abc import Callable
from datetime import timedelta
from random import Random

from programme.cover import ArrangeCover, EndCover
from programme.departure import open_departures, wanted
from programme.duties import SIDE_OF
from programme.engagement import Engagement
from programme.handover import (
    AcceptHandover,
    DeclineHandover,
    NameSuccessor,
    RecordDeparture,
    WithdrawDeparture,
    WriteHandoverNote,
)
from programme.messages import Command, PersonId, Role, Task, Words
from programme.people import Away, Weekday
from programme.rota import SetWorkingPattern
from programme.stages.ownership import AcceptOwnership, DeclineOwnership
from tests.core.programme_driver import PM, Programme

Deeds = list[tuple[Command, PersonId]]
SOME_LEAVE = 12  # so many of a programme's people at most, or nobody is left to do anything


def _name(programme: Programme, task: Task, luck: Random) -> Deeds:
    engagement = programme.engagement
    departure = engagement.handovers.departures[task.about]
    return [
        (
            NameSuccessor(person=departure.person, role=one.role, successor=_other(engagement, one.role, luck)),
            task.person,
        )
        for one in wanted(engagement, departure)
    ]


def _other(engagement: Engagement, role: Role, luck: Random) -> PersonId:
    """Somebody of the same side; for a part of neither side, anybody who is there."""
    sided = engagement.participants(SIDE_OF[role]) if role in SIDE_OF else ()
    there = [one.id for one in engagement.people.values() if not one.gone]
    return luck.choice(sided or there)


def _take_over(programme: Programme, task: Task, luck: Random) -> Deeds:
    departure = programme.engagement.handovers.departures[task.about]
    command = AcceptHandover if luck.random() < 0.85 else DeclineHandover
    offered = [one.role for one in wanted(programme.engagement, departure) if one.successor == task.person]
    return [(command(person=departure.person, role=role), task.person) for role in offered]


def _own(programme: Programme, task: Task, luck: Random) -> Deeds:
    del programme
    command = AcceptOwnership if luck.random() < 0.7 else DeclineOwnership
    return [(command(action=task.about), task.person)]


GOING: dict[str, Callable[[Programme, Task, Random], Deeds]] = {
    "NameSuccessor": _name,
    "AcceptHandover": _take_over,
    "AcceptOwnership": _own,
}


def leave(programme: Programme, luck: Random) -> Deeds:
    """Somebody's last day is recorded, or changes, or does not come; the person leaves a note."""
    engagement = programme.engagement
    going = list(open_departures(engagement))
    if going and luck.random() < 0.3:
        one = luck.choice(going)
        note = WriteHandoverNote(note=Words(deposit="a note"))
        return [luck.choice([(WithdrawDeparture(person=one.person), PM), (note, one.person)])]
    if len(going) >= SOME_LEAVE:
        return []
    last_day = programme.today + timedelta(days=luck.choice((0, 0, 3, 20)))
    returns = last_day + timedelta(days=luck.choice((8, 40, 90))) if luck.random() < 0.6 else None
    person = luck.choice([one.id for one in engagement.people.values() if one.id != PM])
    return [(RecordDeparture(person=person, last_day=last_day, returns=returns), PM)]


def cover(programme: Programme, luck: Random) -> Deeds:
    """Somebody is covered for some days, mostly by somebody of the own side; or the cover ends early."""
    engagement, today = programme.engagement, programme.today
    running = [one for one in engagement.covers.all.values() if not one.over]
    if running and luck.random() < 0.2:
        return [(EndCover(cover=luck.choice(running).number), PM)]
    person = luck.choice(list(engagement.people.values()))
    sided = engagement.participants(person.side) if person.side and luck.random() < 0.8 else ()
    by = luck.choice(sided or [*engagement.people])
    first = today + timedelta(days=luck.choice((0, 0, 2, 9)))
    last = first + timedelta(days=luck.choice((0, 4, 30)))
    return [(ArrangeCover(person=person.id, by=by, first=first, last=last), luck.choice((PM, person.id)))]


def days_off(programme: Programme, luck: Random) -> Deeds:
    """Somebody says on which days they do not work."""
    first = programme.today + timedelta(days=luck.choice((0, 3, 12)))
    away = (Away(first=first, last=first + timedelta(days=luck.choice((0, 6, 20)))),) if luck.random() < 0.7 else ()
    off = tuple(luck.sample(list(Weekday), luck.choice((0, 1, 2, 4))))
    person = luck.choice(list(programme.engagement.people))
    return [(SetWorkingPattern(off=off, away=away), person)]


LEAVING: tuple[Callable[[Programme, Random], Deeds], ...] = (leave, leave, cover, cover, days_off, days_off)
