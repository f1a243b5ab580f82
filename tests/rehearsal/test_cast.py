"""Who plays in a rehearsal, and how they differ."""

from collections import Counter

import pytest

from cli.rehearsal.cast import FEWEST, OTHER_TRUST, TRUST, Pace, cast
from cli.rehearsal.script import ratings
from programme.messages import Role, Side
from programme.people import clash
from programme.stages.mandate import ODS_CODE
from programme.stages.renewal import NextStep
from runtime.templates import shipped_questionnaire

SIZES = [(8, 8), (9, 30), (16, 16), (200, 8)]


def test_the_same_seed_names_the_same_people() -> None:
    assert cast(7, 16, 16) == cast(7, 16, 16)
    assert cast(7, 16, 16).players != cast(8, 16, 16).players


@pytest.mark.parametrize(("doctors", "managers"), SIZES)
def test_enough_of_each_side_take_part_to_show_figures(doctors: int, managers: int) -> None:
    for seed in range(1, 30):
        people = cast(seed, doctors, managers)
        assert people.k >= FEWEST
        for side in Side:
            answering = [one for one in people.of(side) if one.pace not in {Pace.SILENT, Pace.DECLINES}]
            assert len(answering) >= people.k
            assert len(people.active(side)) >= 4


@pytest.mark.parametrize(("doctors", "managers"), SIZES)
def test_everybody_has_a_name_and_an_address_of_their_own(doctors: int, managers: int) -> None:
    people = cast(1, doctors, managers).players
    assert len(people) == len({one.name for one in people}) == len({one.email for one in people})
    assert Counter(one.side for one in people)[Side.DOCTOR] == doctors


def test_some_are_late_some_silent_and_one_of_a_side_does_not_join() -> None:
    paces = Counter(one.pace for one in cast(1, 16, 16).of(Side.DOCTOR))
    assert (paces[Pace.LATE], paces[Pace.SILENT], paces[Pace.DECLINES]) == (3, 2, 1)


def test_nobody_holds_two_parts_that_exclude_each_other() -> None:
    for one in cast(1, 16, 16).players:
        assert clash(frozenset(one.roles)) is None
    assert cast(1, 16, 16).having(Role.EXTERNAL_CHALLENGER).ods_code == OTHER_TRUST


def test_the_trusts_are_invented_and_well_formed() -> None:
    assert ODS_CODE.fullmatch(TRUST)
    assert ODS_CODE.fullmatch(OTHER_TRUST)
    assert TRUST != OTHER_TRUST


def test_seeds_end_in_every_way_that_two_willing_sponsors_can_choose() -> None:
    first = {cast(seed, 8, 8).choices[Role.MEDICAL_SPONSOR][0] for seed in range(1, 7)}
    assert first == set(NextStep)
    assert {one[0] for one in cast(1, 8, 8).choices.values()} == {NextStep.RENEW}
    assert [seed for seed in range(1, 15) if not cast(seed, 8, 8).willing] == [7, 14]


@pytest.mark.parametrize("side", Side)
def test_answers_fit_the_questionnaire_and_a_year_makes_them_better(side: Side) -> None:
    form = shipped_questionnaire()
    scores = {}
    for again in (False, True):
        sheets = [ratings(form, side, cast(1, 8, 8).chance(again, number), again=again) for number in range(20)]
        assert not [key for sheet in sheets for key in form.misfits(sheet)]
        scores[again] = sum(
            condition.score(key, sheet[key])
            for sheet in sheets
            for condition in form.conditions
            for key in condition.keys
        )
    assert scores[True] > scores[False]
