"""A rehearsal on the core alone: the same people play the same year, whatever the day on which it is asked for."""

import json
from datetime import date
from functools import cache

import pytest

from cli.rehearsal.at_once import Played, play
from cli.rehearsal.cast import ENDINGS, cast
from programme.engagement import Engagement, fold
from programme.working_time import Division, local_date
from runtime.templates import Templates
from tests.rehearsal.test_year import olive

START = date(2027, 1, 4)


@cache
def year(seed: int, start: date = START) -> Played:
    return play(cast(seed, 8, 10), Templates().named("twelve-months"), start, Division.ENGLAND_AND_WALES)


def happened(played: Played) -> list[tuple[str, date]]:
    return [(entry.event.kind, local_date(entry.at)) for entry in played.entries]


def test_the_same_seed_plays_the_same_year_event_by_event() -> None:
    again = play(cast(1, 8, 10), Templates().named("twelve-months"), START, Division.ENGLAND_AND_WALES)
    assert [entry.digest for entry in again.entries] == [entry.digest for entry in year(1).entries]


def test_another_seed_plays_another_year() -> None:
    assert happened(year(1)) != happened(year(2))


def test_what_was_played_folds_to_what_people_saw() -> None:
    played = year(1)
    engagement = fold(Engagement(), played.entries)
    spans = [span.model_dump(mode="json") for span in engagement.stages]
    assert spans == played.engagement["stages"]


@pytest.mark.parametrize("seed", range(1, len(ENDINGS) + 2))
def test_every_ending_of_the_story_is_reached(seed: int) -> None:
    kinds = {kind for kind, _ in happened(year(seed))}
    assert kinds & {"RenewalSettled", "NotReady"}


def test_a_year_that_begins_on_another_day_has_the_same_people_and_other_dates() -> None:
    later = year(1, date(2027, 3, 1))
    assert later.entries[0].at.date() == date(2027, 3, 1)
    kinds = {kind for kind, _ in happened(later)}
    assert {"SafetyObjectionRaised", "ActionDeclined", "RenewalSettled"} <= kinds
    assert {entry.actor for entry in later.entries} == {entry.actor for entry in year(1).entries}


async def test_the_command_line_tells_every_event_of_a_rehearsal_without_holding_it() -> None:
    size = ("--doctors", "8", "--managers", "10", "--start", str(START))
    code, said, faults = await olive("forecast", "--rehearsal", "--json", "--seed", "1", *size)
    assert code == 0, faults
    told = json.loads(said)
    assert [tuple(line) for line in told["happened"]] == [(kind, str(day)) for kind, day in happened(year(1))]
    assert told["ended"] == "renewed"
