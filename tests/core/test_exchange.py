"""Stage 2, Perspective exchange: pairs, visits, recognition, gate G2, and the way on when a pair stalls."""

from collections import Counter
from collections.abc import Sequence
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from programme import pairing
from programme.continuity import PauseEngagement
from programme.gates import GatePassed
from programme.messages import Side, Stage, Words
from programme.people import AcceptEnrolment, Enrolment, EnrolPeople
from programme.post import MessageIssued
from programme.refusals import (
    AlreadyDone,
    EngagementPaused,
    InOneLine,
    Invalid,
    LeftOut,
    NotYet,
    NotYourPair,
    PairClosed,
    PairNotMixed,
    RoleRequired,
    TooManyPairs,
    UnknownPair,
)
from programme.stages import exchange
from programme.stages.exchange import ConfirmPairs, ExcusePair, PairStalled, RePair
from programme.stages.mandate import Mandate
from programme.stages.pair import ExcuseReason, Milestone, Pair
from programme.stages.visits import (
    MarkReflection,
    OfferInsight,
    RecordVisit,
    ShareInsight,
    WriteReflection,
    shared_insights,
)
from tests.core.programme_driver import (
    DOCTORS,
    FACILITATOR,
    MANAGERIAL,
    MANAGERS,
    MEDICAL,
    PM,
    Programme,
    begun,
    hold,
    play,
    play_pair,
    play_visits,
    registered,
    roster,
    schedule,
    words,
)


def pairs_of(programme: Programme) -> tuple[Pair, ...]:
    return programme.engagement.running.exchange.standing


def pair_of(programme: Programme, name: str) -> Pair:
    return programme.engagement.running.exchange.pairs[name]


def paired() -> Programme:
    """The pairs are confirmed: P1 to P14, dN with mN in the order of their ids."""
    programme = begun(Stage.EXCHANGE)
    programme.do(ConfirmPairs(), PM)
    return programme


def visited() -> tuple[Programme, Pair]:
    """P1 has visited both ways, and nobody has written."""
    programme = paired()
    play_visits(programme, pair_of(programme, "P1"))
    return programme, pair_of(programme, "P1")


def with_lines(**line_managers: str) -> Programme:
    """An engagement at the start of the exchange, with line managers for some participants."""
    people = tuple(
        row.model_copy(update={"line_manager": line_managers[row.person]}) if row.person in line_managers else row
        for row in roster()
    )
    return play(registered(people), Stage.EXCHANGE)


def proposed(programme: Programme) -> list[tuple[str, ...]]:
    return [group.doctors + group.managers for group in programme.engagement.running.exchange.proposed]


# --- forming pairs -------------------------------------------------------------------------------------------------


def test_every_participant_is_proposed_a_partner_from_the_other_side() -> None:
    pairs = proposed(begun(Stage.EXCHANGE))
    assert sorted(person for pair in pairs for person in pair) == sorted(DOCTORS + MANAGERS)
    assert all(pair[0] in DOCTORS and pair[1] in MANAGERS and len(pair) == 2 for pair in pairs)


def test_nobody_is_paired_with_their_own_line_manager() -> None:
    pairs = proposed(with_lines(d0="m0", d1="m1", m2="d2"))
    assert len(pairs) == 14
    assert not {("d0", "m0"), ("d1", "m1"), ("d2", "m2")} & set(pairs)


def test_nobody_is_paired_with_the_manager_of_their_line_manager() -> None:
    pairs = proposed(with_lines(d0="d9", d9="m0"))
    assert not {("d0", "m0"), ("d9", "m0")} & set(pairs)


def test_the_last_two_are_not_left_with_only_their_own_boss() -> None:
    """A greedy choice would give d0 the only manager whom d1 may have."""
    lines = {"d1": "m1", "m1": None, "m0": None, "d0": None}
    assert pairing.propose(("d0", "d1"), ("m0", "m1"), lines, 2) == (("d1", "m0"), ("d0", "m1"))


def test_the_odd_one_makes_a_trio() -> None:
    pairs = pairing.propose(("d0", "d1", "d2"), ("m0", "m1"), {}, 2)
    assert sorted(map(len, pairs)) == [2, 3]
    assert sorted(person for pair in pairs for person in pair) == ["d0", "d1", "d2", "m0", "m1"]


@given(
    doctors=st.integers(0, 30),
    managers=st.integers(0, 30),
    bosses=st.lists(st.tuples(st.integers(0, 59), st.integers(0, 59)), max_size=40),
)
def test_a_proposal_never_breaks_a_rule_of_pairing(doctors: int, managers: int, bosses: list[tuple[int, int]]) -> None:
    names = [f"d{number}" for number in range(doctors)], [f"m{number}" for number in range(managers)]
    everybody = names[0] + names[1]
    lines = {everybody[one % len(everybody)]: everybody[boss % len(everybody)] for one, boss in bosses if everybody}
    pairs = pairing.propose(names[0], names[1], lines, 2)
    for pair in pairs:
        assert 2 <= len(pair) <= 3
        assert {person[0] for person in pair} == {"d", "m"}
        assert not any(pairing.in_one_line(one, other, lines) for one in pair for other in pair if one < other)
    assert max(Counter(person for pair in pairs for person in pair).values(), default=0) <= 2
    assert pairs == pairing.propose(names[0][::-1], names[1][::-1], lines, 2)
    if not lines and 0 < max(doctors, managers) <= 4 * min(doctors, managers):
        assert {person for pair in pairs for person in pair} == set(everybody)


def test_only_the_programme_manager_puts_pairs_in_force() -> None:
    programme = begun(Stage.EXCHANGE)
    for person in (FACILITATOR, MEDICAL, "d0"):
        with pytest.raises(RoleRequired):
            programme.do(ConfirmPairs(), person)
    assert exchange.lacks(programme.engagement) == ["the pairs must be confirmed"]
    assert programme.tasks(PM, "ConfirmPairs")
    programme.do(ConfirmPairs(), PM)
    assert [pair.members for pair in pairs_of(programme)] == proposed(programme)
    assert not programme.tasks(PM, "ConfirmPairs")


def test_silence_does_not_put_pairs_in_force_but_both_sponsors_hear_of_it() -> None:
    programme = begun(Stage.EXCHANGE)
    programme.wait(30)
    assert programme.engagement.running.exchange.confirmed is None
    title = "Confirm the pairs for the perspective exchange"
    together = [
        event.people
        for event in programme.events(MessageIssued)
        if len(event.people) > 1 and event.items[0].title == title
    ]
    assert together == [(MEDICAL, MANAGERIAL)]


def swapped() -> list[tuple[str, ...]]:
    others = [(doctor, manager) for doctor, manager in zip(DOCTORS[2:], MANAGERS[2:], strict=True)]
    return [("d0", "m1"), ("d1", "m0"), *others]


def test_the_programme_manager_may_swap_partners() -> None:
    programme = begun(Stage.EXCHANGE)
    programme.do(ConfirmPairs(pairs=tuple(swapped())), PM)
    assert pair_of(programme, "P1").members == ("d0", "m1")
    with pytest.raises(AlreadyDone):
        programme.do(ConfirmPairs(), PM)


@pytest.mark.parametrize(
    ("changes", "refusal"),
    [
        ({0: ("d0", "d1"), 1: ("m0", "m1")}, PairNotMixed),
        ({0: ("d0",), 1: ("d1", "m0", "m1")}, PairNotMixed),
        ({0: ("d0", "m1", "m1")}, PairNotMixed),
        ({0: ("d0", "d1", "m0", "m1"), 1: ()}, PairNotMixed),
        ({0: ("d0", "nobody")}, PairNotMixed),
        ({0: ("d0", "m1", "nobody")}, PairNotMixed),
        ({0: ("d0", "m1", "app")}, PairNotMixed),
        ({0: ("d0", "app")}, PairNotMixed),
        ({1: ("d1", "m1")}, LeftOut),
        ({0: ("d0", "m1"), 1: ("d1", "m2", "m0"), 3: ("d3", "m2")}, TooManyPairs),
    ],
)
def test_pairs_that_break_a_rule_are_refused(changes: dict[int, tuple[str, ...]], refusal: type[Exception]) -> None:
    pairs = swapped()
    for place, pair in changes.items():
        pairs[place] = pair
    with pytest.raises(refusal):
        begun(Stage.EXCHANGE).do(ConfirmPairs(pairs=tuple(pairs)), PM)


def test_four_are_no_pair() -> None:
    pairs = [("d0", "d1", "m0", "m1"), *swapped()[2:]]
    with pytest.raises(PairNotMixed):
        begun(Stage.EXCHANGE).do(ConfirmPairs(pairs=tuple(pairs)), PM)


def test_who_no_longer_takes_part_may_be_left_out() -> None:
    programme = begun(Stage.EXCHANGE)
    people = programme.engagement.people
    left = {person: people[person].but(accepted=None) for person in ("d0", "m1")}
    programme.engagement = programme.engagement.but(people={**people, **left})
    with pytest.raises(PairNotMixed):
        programme.do(ConfirmPairs(pairs=tuple(swapped())), PM)
    programme.do(ConfirmPairs(pairs=tuple(swapped()[1:])), PM)


def test_the_programme_manager_cannot_pair_people_in_one_line_either() -> None:
    programme = with_lines(d0="m1")
    with pytest.raises(InOneLine):
        programme.do(ConfirmPairs(pairs=tuple(swapped())), PM)


# --- visits, texts, recognition ------------------------------------------------------------------------------------


def test_a_pair_visits_both_ways() -> None:
    programme = paired()
    programme.do(RecordVisit(pair="P1", host="m0", on=programme.today), "d0")
    assert pair_of(programme, "P1").milestone is Milestone.VISITS
    programme.do(RecordVisit(pair="P1", guest="m0", host="d0", on=programme.today), "d0")
    assert pair_of(programme, "P1").milestone is Milestone.RECOGNITION
    assert not programme.tasks("d0", "RecordVisit")
    assert not programme.tasks("m0", "RecordVisit")


def test_in_a_trio_everybody_visits_everybody_across() -> None:
    doctors = (*DOCTORS, "d14")
    programme = play(registered(roster(doctors)), Stage.EXCHANGE)
    programme.do(ConfirmPairs(), PM)
    trio = next(pair for pair in pairs_of(programme) if len(pair.members) == 3)
    manager = trio.managers[0]
    programme.do(RecordVisit(pair=trio.id, host=trio.doctors[0], on=programme.today), manager)
    assert programme.tasks(manager, "RecordVisit")
    programme.do(RecordVisit(pair=trio.id, host=trio.doctors[1], on=programme.today), manager)
    assert not programme.tasks(manager, "RecordVisit")
    visit = RecordVisit(pair=trio.id, guest=trio.doctors[1], host=manager, on=programme.today)
    with pytest.raises(NotYourPair):
        programme.do(visit, trio.doctors[0])
    for doctor in trio.doctors:
        programme.do(RecordVisit(pair=trio.id, host=manager, on=programme.today), doctor)
    programme.do(WriteReflection(pair=trio.id, words=words()), manager)
    programme.do(MarkReflection(pair=trio.id, author=manager, recognised=True), trio.doctors[0])
    assert not pair_of(programme, trio.id).recognises(manager)
    programme.do(MarkReflection(pair=trio.id, author=manager, recognised=True), trio.doctors[1])
    assert pair_of(programme, trio.id).recognises(manager)


def test_a_visit_lasts_half_a_day_and_has_taken_place() -> None:
    programme = paired()
    today = programme.today
    with pytest.raises(Invalid):
        programme.do(RecordVisit(pair="P1", host="m0", on=today, half_days=0), "d0")
    with pytest.raises(Invalid):
        programme.do(RecordVisit(pair="P1", host="m0", on=today + timedelta(days=1)), "d0")
    with pytest.raises(Invalid):
        programme.do(RecordVisit(pair="P1", host="m0", on=today - timedelta(days=1)), "d0")
    programme.do(RecordVisit(pair="P1", host="m0", on=today), "d0")
    with pytest.raises(AlreadyDone):
        programme.do(RecordVisit(pair="P1", host="m0", on=today), "d0")


def test_nobody_notes_a_visit_in_a_pair_that_is_not_theirs() -> None:
    programme = paired()
    today = programme.today
    for command, person in (
        (RecordVisit(pair="P1", host="m0", on=today), "d1"),
        (RecordVisit(pair="P1", host="m1", on=today), "d0"),
        (RecordVisit(pair="P1", host="d0", on=today), "d0"),
        (RecordVisit(pair="P1", guest="m0", host="d0", on=today), "m1"),
        (RecordVisit(pair="P1", guest="m5", host="d0", on=today), "d0"),
    ):
        with pytest.raises(NotYourPair):
            programme.do(command, person)
    with pytest.raises(UnknownPair):
        programme.do(RecordVisit(pair="P99", host="m0", on=today), "d0")


def test_only_who_has_visited_writes() -> None:
    programme = paired()
    with pytest.raises(NotYet):
        programme.do(WriteReflection(pair="P1", words=words()), "d0")
    programme.do(RecordVisit(pair="P1", host="m0", on=programme.today), "d0")
    with pytest.raises(Invalid):
        programme.do(WriteReflection(pair="P1", words=Words()), "d0")
    programme.do(WriteReflection(pair="P1", words=words()), "d0")
    with pytest.raises(AlreadyDone):
        programme.do(WriteReflection(pair="P1", words=words()), "d0")


def test_only_the_partner_recognises_a_text() -> None:
    programme, _ = visited()
    programme.do(WriteReflection(pair="P1", words=words()), "d0")
    for person in ("d0", "m1", "d1"):
        with pytest.raises(NotYourPair):
            programme.do(MarkReflection(pair="P1", author="d0", recognised=True), person)
    with pytest.raises(NotYet):
        programme.do(MarkReflection(pair="P1", author="m0", recognised=True), "d0")
    programme.do(MarkReflection(pair="P1", author="d0", recognised=True), "m0")
    assert not programme.tasks("m0", "MarkReflection")
    programme.wait(1)
    assert "What you wrote for the perspective exchange was recognised" in programme.told("d0")
    with pytest.raises(AlreadyDone):
        programme.do(MarkReflection(pair="P1", author="d0", recognised=True), "m0")


def test_a_pair_is_recognised_only_when_both_are() -> None:
    programme, _ = visited()
    for author, partner in (("d0", "m0"), ("m0", "d0")):
        assert not pair_of(programme, "P1").recognised
        programme.do(WriteReflection(pair="P1", words=words()), author)
        programme.do(MarkReflection(pair="P1", author=author, recognised=True), partner)
    assert pair_of(programme, "P1").recognised


def correct(programme: Programme, number: int) -> None:
    programme.do(WriteReflection(pair="P1", words=words()), "d0")
    programme.do(MarkReflection(pair="P1", author="d0", round=number, recognised=False, correction=words()), "m0")


def test_a_corrected_text_is_written_again() -> None:
    programme, _ = visited()
    correct(programme, 1)
    assert not pair_of(programme, "P1").recognises("d0")
    assert [task.title for task in programme.tasks("d0", "WriteReflection")] == [
        "Your partner has corrected what you wrote. Write it again"
    ]
    programme.wait(1)
    assert "What you wrote for the perspective exchange was recognised" not in programme.told("d0")
    programme.do(WriteReflection(pair="P1", words=words()), "d0")
    with pytest.raises(NotYet):
        programme.do(MarkReflection(pair="P1", author="d0", round=1, recognised=True), "m0")
    programme.do(MarkReflection(pair="P1", author="d0", round=2, recognised=True, correction=words()), "m0")
    assert pair_of(programme, "P1").recognises("d0")
    assert pair_of(programme, "P1").writings["d0"].marks["m0"].correction == Words()
    assert not programme.tasks(FACILITATOR)


def test_a_correction_says_what_it_is_like_instead() -> None:
    programme, _ = visited()
    programme.do(WriteReflection(pair="P1", words=words()), "d0")
    with pytest.raises(Invalid):
        programme.do(MarkReflection(pair="P1", author="d0", recognised=False), "m0")


def test_after_two_rounds_the_facilitator_is_asked_instead_of_the_author() -> None:
    programme, _ = visited()
    correct(programme, 1)
    assert not programme.tasks(FACILITATOR)
    correct(programme, 2)
    with pytest.raises(AlreadyDone):
        programme.do(WriteReflection(pair="P1", words=words()), "d0")
    assert not programme.tasks("d0", "WriteReflection")
    assert [task.id for task in programme.tasks(FACILITATOR)] == [f"1/exchange/settle-P1-unrecognised/{FACILITATOR}"]


def test_what_people_write_never_leaves_as_more_than_a_reference() -> None:
    programme, _ = visited()
    correct(programme, 1)
    programme.do(OfferInsight(pair="P1", words=words("an insight")), "d0")
    programme.wait(2)
    assert {title for person in ("d0", "m0", FACILITATOR, PM) for title in programme.told(person)}.isdisjoint(
        {"something candid", "an insight"}
    )
    with pytest.raises(RoleRequired):
        programme.do(MarkReflection(pair="P1", author="d0", recognised=True), FACILITATOR)


# --- insights ------------------------------------------------------------------------------------------------------


def test_an_insight_leaves_the_pair_only_when_both_tick_share() -> None:
    programme = paired()
    programme.do(OfferInsight(pair="P1", words=words("first"), share=True), "d0")
    assert shared_insights(programme.engagement) == ()
    programme.do(ShareInsight(pair="P1", author="d0"), "m0")
    assert shared_insights(programme.engagement) == (words("first"),)
    programme.do(ShareInsight(pair="P1", author="d0", share=False), "d0")
    assert shared_insights(programme.engagement) == ()


def test_offering_an_insight_is_not_yet_sharing_it() -> None:
    programme = paired()
    with pytest.raises(Invalid):
        programme.do(OfferInsight(pair="P1", words=Words()), "d0")
    programme.do(OfferInsight(pair="P1", words=words("first")), "d0")
    programme.do(ShareInsight(pair="P1", author="d0"), "m0")
    assert programme.do(ShareInsight(pair="P1", author="d0"), "m0") == []
    assert shared_insights(programme.engagement) == ()
    assert [task.command for task in programme.tasks("d0") if task.about == "P1"] == ["RecordVisit", "ShareInsight"]


def test_insights_are_taken_until_session_a_is_held_and_not_later() -> None:
    programme = begun(Stage.SESSIONS)
    offer = OfferInsight(pair="P1", words=words("late"))
    programme.do(offer, "d0")
    schedule(programme, "1A", 5)
    hold(programme, "1A")
    for late in (programme, begun(Stage.AGREEMENT)):
        with pytest.raises(NotYet):
            late.do(offer, "d0")
    with pytest.raises(NotYet):
        begun(Stage.DIAGNOSIS).do(offer, "d0")


def test_another_insight_needs_both_ticks_again() -> None:
    programme = paired()
    programme.do(OfferInsight(pair="P1", words=words("first"), share=True), "d0")
    programme.do(ShareInsight(pair="P1", author="d0"), "m0")
    programme.do(OfferInsight(pair="P1", words=words("second"), share=True), "d0")
    assert shared_insights(programme.engagement) == ()


def test_nobody_outside_a_pair_ticks_share() -> None:
    programme = paired()
    programme.do(OfferInsight(pair="P1", words=words()), "d0")
    with pytest.raises(NotYourPair):
        programme.do(ShareInsight(pair="P1", author="d0"), "m1")
    with pytest.raises(NotYet):
        programme.do(ShareInsight(pair="P1", author="m0"), "d0")


def test_an_insight_is_voluntary_and_nobody_is_reminded_of_it() -> None:
    programme, _ = visited()
    assert programme.tasks("d0", "OfferInsight")[0].due is None
    programme.wait(40)
    assert not any("insight" in title for title in programme.told("d0"))
    programme.do(OfferInsight(pair="P1", words=words()), "d0")
    assert not programme.tasks("d0", "OfferInsight")


# --- gate G2 -------------------------------------------------------------------------------------------------------


def settle(programme: Programme, recognised: int) -> None:
    """So many pairs are recognised, and all others excused."""
    pairs = pairs_of(programme)
    for pair in pairs[recognised:]:
        programme.do(ExcusePair(pair=pair.id, reason=ExcuseReason.NO_COMMON_TIME), FACILITATOR)
    for pair in pairs[:recognised]:
        play_pair(programme, pair)


@pytest.mark.parametrize(("recognised", "passes"), [(9, False), (10, True), (14, True)])
def test_the_gate_asks_for_seventy_per_cent_of_the_pairs(recognised: int, passes: bool) -> None:
    programme = paired()
    settle(programme, recognised)
    assert programme.engagement.in_stage(Stage.SESSIONS) is passes
    assert not passes or programme.events(GatePassed)[-1].gate == "G2"


def test_the_gate_waits_for_every_pair_that_is_still_at_work() -> None:
    programme = paired()
    for pair in pairs_of(programme)[:13]:
        play_pair(programme, pair)
    assert exchange.lacks(programme.engagement) == ["1 pair must be recognised both ways, changed or excused"]
    programme.do(ExcusePair(pair="P14", reason=ExcuseReason.LONG_ABSENCE), PM)
    assert programme.engagement.in_stage(Stage.SESSIONS)


def with_only(count: int) -> Programme:
    """A programme in which only so many pairs were ever formed."""
    programme = paired()
    few = {pair.id: pair for pair in pairs_of(programme)[:count]}
    now = programme.engagement.running.exchange.model_copy(update={"pairs": few})
    programme.engagement = programme.engagement.in_cycle(exchange=now)
    return programme


def test_the_gate_asks_for_three_recognised_pairs_at_least() -> None:
    programme = with_only(2)
    settle(programme, 2)
    assert exchange.lacks(programme.engagement) == ["at least 3 pairs must be recognised both ways"]
    programme = with_only(3)
    settle(programme, 3)
    assert programme.engagement.in_stage(Stage.SESSIONS)


def test_exactly_seventy_per_cent_are_enough() -> None:
    programme = with_only(10)
    settle(programme, 7)
    assert programme.engagement.in_stage(Stage.SESSIONS)


def test_the_gate_stays_shut_while_a_sponsor_is_not_willing() -> None:
    programme = paired()
    programme.engagement = programme.engagement.but(mandate=Mandate())
    for pair in pairs_of(programme):
        play_pair(programme, pair)
    assert exchange.lacks(programme.engagement) == ["both sponsors' willingness must be in force"]
    assert programme.engagement.in_stage(Stage.EXCHANGE)
    assert not programme.tasks(FACILITATOR, "RePair")


def test_with_too_few_recognised_the_facilitator_is_shown_the_way_on() -> None:
    programme = paired()
    settle(programme, 9)
    tasks = [task for task in programme.tasks(FACILITATOR) if task.command == "RePair"]
    assert [task.about for task in tasks] == ["few"]
    programme.do(RePair(replaces=("P10",), pairs=(("d0", "m1"),)), FACILITATOR)
    assert not [task for task in programme.tasks(FACILITATOR) if task.about == "few"]
    play_pair(programme, pairs_of(programme)[-1])
    assert programme.engagement.in_stage(Stage.SESSIONS)


# --- pairs that stall ----------------------------------------------------------------------------------------------


def visit_due(programme: Programme, person: str = "d0") -> Programme:
    """It is noon of the day on which the visits are due."""
    due = programme.tasks(person, "RecordVisit")[0].due
    assert due is not None
    programme.advance(due.on)
    return programme


def test_three_working_days_after_the_visits_were_due_the_facilitator_is_asked_to_step_in() -> None:
    programme = visit_due(paired())
    programme.wait(3)
    assert not programme.events(PairStalled)
    assert any("in your partner's shoes" in title for title in programme.told(FACILITATOR))
    programme.wait(1)
    assert len(programme.events(PairStalled)) == 14
    task = next(task for task in programme.tasks(FACILITATOR) if task.about == "P1")
    assert task.command == "RePair"
    assert task.title == "Pair P1 is behind: form another, or excuse it"


def test_visits_are_asked_for_in_week_two_and_week_four_and_at_once() -> None:
    programme = paired()
    formed = programme.today
    programme.advance(formed + timedelta(days=40))
    title = "Spend half a day or more in your partner's shoes"
    days = [
        event.on
        for event in programme.events(MessageIssued)
        if event.people == ("d0",) and title in [item.title for item in event.items]
    ]
    plus = programme.engagement.time.plus
    assert days == [formed, plus(formed, 10), plus(formed, 20)]


def test_a_pair_that_is_excused_neither_stalls_nor_waits_for_the_facilitator() -> None:
    programme = paired()
    programme.do(ExcusePair(pair="P1", reason=ExcuseReason.LEFT), PM)
    visit_due(programme, "d1")
    programme.wait(4)
    programme.do(ExcusePair(pair="P2", reason=ExcuseReason.LEFT), PM)
    assert "P1" not in [event.pair for event in programme.events(PairStalled)]
    assert {"P1", "P2"}.isdisjoint(task.about for task in programme.tasks(FACILITATOR))


def test_a_pair_that_cannot_recognise_each_other_is_not_called_late_as_well() -> None:
    programme, _ = visited()
    correct(programme, 1)
    correct(programme, 2)
    programme.do(WriteReflection(pair="P1", words=words()), "m0")
    programme.do(MarkReflection(pair="P1", author="m0", recognised=True), "d0")
    programme.wait(45)
    assert "P1" not in [event.pair for event in programme.events(PairStalled)]


def test_a_pair_that_catches_up_is_left_alone() -> None:
    programme = visit_due(paired())
    programme.wait(4)
    play_visits(programme, pair_of(programme, "P1"))
    assert not [task for task in programme.tasks(FACILITATOR) if task.about == "P1"]


def test_a_pair_that_visits_but_never_writes_stalls_as_well() -> None:
    programme, _ = visited()
    programme.wait(45)
    stalled = [event.milestone for event in programme.events(PairStalled) if event.pair == "P1"]
    assert stalled == [Milestone.RECOGNITION]


def test_who_comes_late_has_days_to_write_and_to_mark() -> None:
    programme = paired()
    programme.wait(29)
    play_visits(programme, pair_of(programme, "P1"))
    plus, today = programme.engagement.time.plus, programme.today
    due = programme.tasks("d0", "WriteReflection")[0].due
    assert due is not None
    assert due.on == plus(today, 5)
    assert due.why.startswith("5 working days after you noted your visit")


def test_a_pair_that_stalls_can_be_formed_anew() -> None:
    programme = paired()
    events = programme.do(RePair(replaces=("P1",), pairs=(("d0", "m1"),)), FACILITATOR)
    assert [pair.id for pair in pairs_of(programme)][-1] == "P15"
    assert pair_of(programme, "P15").members == ("d0", "m1")
    assert getattr(events[-1], "people", ()) == ("d0", "m0")
    with pytest.raises(PairClosed):
        programme.do(RecordVisit(pair="P1", host="m0", on=programme.today), "d0")


def test_a_pair_formed_anew_counts_in_place_of_the_old_one() -> None:
    programme = paired()
    settle(programme, 9)
    programme.do(RePair(replaces=("P10", "P11"), pairs=(("d0", "m1"), ("d1", "m0"))), PM)
    assert len(pairs_of(programme)) == 14
    assert {"P10", "P11"}.isdisjoint(pair.id for pair in pairs_of(programme))


def test_pairs_cannot_be_taken_off_the_count_without_others_in_their_place() -> None:
    programme = paired()
    settle(programme, 9)
    with pytest.raises(Invalid):
        programme.do(RePair(replaces=("P10", "P11"), pairs=(("d0", "m1"),)), PM)
    with pytest.raises(Invalid):
        programme.do(RePair(replaces=("P10", "P11"), pairs=(("d0", "m1"), ("d0", "m1"))), PM)


def test_nobody_is_told_of_a_change_that_leaves_everybody_with_the_same_people() -> None:
    events = paired().do(RePair(replaces=("P1",), pairs=(("d0", "m0"),)), FACILITATOR)
    assert [event.kind for event in events] == ["PairsChanged"]


def test_pairs_are_changed_only_after_they_were_confirmed() -> None:
    with pytest.raises(NotYet):
        begun(Stage.EXCHANGE).do(RePair(pairs=(("d0", "m0"),)), FACILITATOR)


def test_forming_pairs_anew_keeps_the_rules() -> None:
    programme = paired()
    for command, refusal in (
        (RePair(replaces=("P1",), pairs=()), Invalid),
        (RePair(pairs=()), Invalid),
        (RePair(replaces=("P99",), pairs=(("d0", "m1"),)), UnknownPair),
        (RePair(replaces=("P1",), pairs=(("d0", "d1"),)), PairNotMixed),
        (RePair(pairs=(("d0", "m1"), ("d0", "m2"))), TooManyPairs),
    ):
        with pytest.raises(refusal):
            programme.do(command, FACILITATOR)
    play_pair(programme, pair_of(programme, "P1"))
    with pytest.raises(AlreadyDone):
        programme.do(RePair(replaces=("P1",), pairs=(("d0", "m1"),)), FACILITATOR)
    with pytest.raises(RoleRequired):
        programme.do(RePair(replaces=("P2",), pairs=(("d1", "m0"),)), "d1")


def test_an_excused_pair_is_not_counted_as_keeping_somebody_busy() -> None:
    programme = paired()
    programme.do(RePair(pairs=(("d0", "m1"),)), FACILITATOR)
    with pytest.raises(TooManyPairs):
        programme.do(RePair(pairs=(("d0", "m2"),)), FACILITATOR)
    programme.do(ExcusePair(pair="P1", reason=ExcuseReason.CONFLICT), FACILITATOR)
    programme.do(RePair(pairs=(("d0", "m2"),)), FACILITATOR)


def test_a_pair_that_is_replaced_leaves_its_people_free_and_a_recognised_one_does_not() -> None:
    programme = paired()
    programme.do(RePair(pairs=(("d0", "m1"), ("d1", "m0"))), FACILITATOR)
    programme.do(RePair(replaces=("P1",), pairs=(("d0", "m2"),)), FACILITATOR)
    play_pair(programme, pair_of(programme, "P2"))
    with pytest.raises(TooManyPairs):
        programme.do(RePair(pairs=(("d1", "m3"),)), FACILITATOR)


def test_somebody_who_joins_late_gets_a_pair() -> None:
    programme = paired()
    programme.do(EnrolPeople(people=(Enrolment(person="d99", side=Side.DOCTOR),)), PM)
    programme.do(AcceptEnrolment(side=Side.DOCTOR, privacy_notice="1"), "d99")
    programme.do(RePair(pairs=(("d99", "m0"),)), FACILITATOR)
    assert programme.tasks("d99", "RecordVisit")


def test_a_pair_is_excused_by_the_facilitator_or_the_programme_manager_and_nobody_else() -> None:
    programme = paired()
    with pytest.raises(RoleRequired):
        programme.do(ExcusePair(pair="P1", reason=ExcuseReason.WITHDREW), "d0")
    events = programme.do(ExcusePair(pair="P1", reason=ExcuseReason.WITHDREW), FACILITATOR)
    assert getattr(events[1], "people", ()) == ("d0", "m0")
    assert not programme.tasks("d0", "RecordVisit")
    with pytest.raises(PairClosed):
        programme.do(RecordVisit(pair="P1", host="m0", on=programme.today), "d0")
    with pytest.raises(PairClosed):
        programme.do(ExcusePair(pair="P1", reason=ExcuseReason.WITHDREW), FACILITATOR)
    play_pair(programme, pair_of(programme, "P2"))
    with pytest.raises(AlreadyDone):
        programme.do(ExcusePair(pair="P2", reason=ExcuseReason.WITHDREW), FACILITATOR)


def test_a_reason_outside_the_list_excuses_nobody() -> None:
    with pytest.raises(ValueError, match="reason"):
        ExcusePair.model_validate({"pair": "P1", "reason": "too busy"})


def test_a_pause_stops_the_exchange_and_moves_its_dates() -> None:
    programme = paired()
    before = programme.tasks("d0", "RecordVisit")[0].due
    assert before is not None
    resumes = programme.engagement.time.plus(programme.today, 10)
    programme.do(PauseEngagement(reason="A winter peak", resumes=resumes), PM)
    with pytest.raises(EngagementPaused):
        programme.do(RecordVisit(pair="P1", host="m0", on=programme.today), "d0")
    programme.advance(resumes)
    after = programme.tasks("d0", "RecordVisit")[0].due
    assert after is not None
    assert after.on == programme.engagement.time.plus(before.on, 10)


def test_outside_the_exchange_pairs_do_nothing() -> None:
    early, late = begun(Stage.DIAGNOSIS), begun(Stage.SESSIONS)
    for programme in (early, late):
        with pytest.raises(NotYet):
            programme.do(ConfirmPairs(), PM)
    with pytest.raises(NotYet):
        late.do(RecordVisit(pair="P1", host="m0", on=late.today), "d0")


def test_nobody_acts_for_both_sides() -> None:
    """Invariant 2: what a person marks or visits is always across the table."""
    programme = paired()
    for pair in pairs_of(programme):
        for person in pair.members:
            assert not set(pair.across(person)) & set(side_of(programme, person))


def side_of(programme: Programme, person: str) -> Sequence[str]:
    side = programme.engagement.people[person].side
    assert side is not None
    return programme.engagement.participants(side)
