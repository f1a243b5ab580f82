"""Stage 7: the same questions again, and what both sponsors decide; silence neither ends nor extends anything."""

from datetime import date
from functools import cache

import pytest

from programme.differences import DifferenceRaised
from programme.engagement import Engagement, fold, next_wake
from programme.messages import CLOCK, PersonId, Side, Stage
from programme.post import NoticeRaised
from programme.progress import progress
from programme.refusals import (
    AlreadyDone,
    EngagementEnded,
    Invalid,
    NotYet,
    RoleRequired,
    SponsorsAbsent,
)
from programme.stages import challenge, diagnosis, renewal, review_plan
from programme.stages.action import ActionStatus
from programme.stages.agreement import DeclineAction
from programme.stages.challenge import ReviewAnswered, ReviewOpened
from programme.stages.diagnosis import (
    DIAGNOSIS,
    REDIAGNOSIS,
    ChooseAfterShortfall,
    CompleteQuestionnaire,
    RecordPack,
    WindowOpened,
    WriteThemes,
)
from programme.stages.drafting import ActionText, ChangeAction
from programme.stages.exchange import ConfirmPairs
from programme.stages.findings import FindingsRecorded
from programme.stages.mandate import Answer, CycleStarted, StateWillingness, WillingnessAsked
from programme.stages.meetings import ReviewHeld
from programme.stages.renewal import (
    CyclesCompared,
    DecideRenewal,
    DiagnosisCarriedOver,
    EngagementClosed,
    JointMeetingAsked,
    NextStep,
    OfferTemplate,
    RecordJointMeeting,
    RenewalAsked,
    RenewalRevealed,
    RenewalSettled,
    SuggestTemplate,
    TemplateOffered,
)
from programme.stages.review import Complacency, ReviewKind
from programme.stages.session import Outputs, Purpose
from programme.template import ProgrammeTemplate
from programme.working_time import month_after
from tests.core.given import ACTION, EXTERNAL, active_action, delivering, given, nothing_agreed
from tests.core.programme_driver import (
    FACILITATOR,
    MANAGERIAL,
    MEDICAL,
    PM,
    TWELVE_MONTHS,
    Programme,
    begun,
    confirm,
    hold,
    play_exchange,
    play_session,
    schedule,
    write,
)

OUTSIDE = "1-external-1"
RENEW, SUSTAIN, CLOSE = NextStep.RENEW, NextStep.SUSTAIN, NextStep.CLOSE
PACK = "a" * 64


def reviewed_outside(programme: Programme) -> Programme:
    """An external review of the running cycle has met, found nothing and been answered."""
    number, today = programme.engagement.running.number, programme.today
    review = f"{number}-external-1"
    three = Complacency(surprised="Nothing", stopped_asking="Nothing", disagreement="Nowhere")
    return given(
        programme,
        ReviewOpened(review=review, review_kind=ReviewKind.EXTERNAL, planned=today, on=today),
        ReviewHeld(review=review, attended=EXTERNAL, without=(), on=today),
        FindingsRecorded(review=review, findings=(), complacency=three, on=today),
        ReviewAnswered(review=review, on=today),
    )


def in_month(programme: Programme, month: int) -> Programme:
    """The first day of a month of the running cycle has come."""
    programme.advance(month_after(programme.engagement.running.started, month - 1))
    programme.wait(1)
    return programme


@cache
def _eleventh_month() -> Programme:
    return in_month(reviewed_outside(delivering()), 11)


def asked_again() -> Programme:
    """The questionnaire is open again; an external review has been answered."""
    return _eleventh_month().copy()


def close_questionnaire(programme: Programme, pack: str = PACK) -> Programme:
    """Everybody answers again, the window closes, the pack is computed and released."""
    for side in Side:
        for person in programme.engagement.participants(side):
            programme.do(CompleteQuestionnaire(), person)
    while programme.engagement.running.diagnosis.survey(REDIAGNOSIS).open:
        programme.wait(1)
    programme.do(RecordPack(survey=REDIAGNOSIS, window=1, pack=pack), CLOCK)
    programme.do(WriteThemes(), FACILITATOR)
    return programme


@cache
def _sponsors_asked() -> Programme:
    programme = close_questionnaire(asked_again())
    while not programme.tasks(MEDICAL, "DecideRenewal"):
        programme.wait(1)
    return programme


def sponsors_asked() -> Programme:
    """Both sponsors are asked what comes next."""
    return _sponsors_asked().copy()


def decide(programme: Programme, medical: NextStep, managerial: NextStep) -> Programme:
    """Both sponsors decide."""
    programme.do(DecideRenewal(choice=medical), MEDICAL)
    programme.do(DecideRenewal(choice=managerial), MANAGERIAL)
    return programme


def open_stages(programme: Programme) -> set[Stage]:
    return {span.stage for span in programme.engagement.stages if span.ended is None}


def settled(programme: Programme) -> list[tuple[NextStep, bool]]:
    return [(one.outcome, one.by_time) for one in programme.events(RenewalSettled)]


# --- the same questions again --------------------------------------------------------------------------------------


def test_the_same_questionnaire_opens_in_month_eleven() -> None:
    programme = delivering()
    started = programme.engagement.running.started
    while not programme.engagement.in_stage(Stage.RENEWAL):
        programme.wait(1)
    assert programme.today == programme.engagement.time.plus(month_after(started, 10), 0)
    assert programme.engagement.running.diagnosis.survey(REDIAGNOSIS).open


def test_the_stage_does_not_open_before_anything_was_agreed() -> None:
    programme = in_month(nothing_agreed(), 12)
    assert not programme.engagement.in_stage(Stage.RENEWAL)
    assert any("G4" in one for one in renewal.opening_lacks(programme.engagement))


def test_the_stage_opens_without_the_external_review_and_no_decision_is_asked_for_before_it_is_answered() -> None:
    programme = close_questionnaire(in_month(delivering(), 11))
    programme.wait(30)
    assert not programme.tasks(command="DecideRenewal")
    with pytest.raises(NotYet, match="external review"):
        programme.do(DecideRenewal(choice=RENEW), MEDICAL)
    reviewed_outside(programme)
    programme.wait(1)
    assert programme.tasks(command="DecideRenewal")


def test_a_held_external_review_is_not_enough_until_both_sides_have_answered_it() -> None:
    programme = delivering()
    assert challenge.lacks(programme.engagement)
    today = programme.today
    given(
        programme,
        ReviewOpened(review=OUTSIDE, review_kind=ReviewKind.EXTERNAL, planned=today, on=today),
        ReviewHeld(review=OUTSIDE, attended=EXTERNAL, without=(), on=today),
    )
    assert challenge.lacks(programme.engagement) == [
        "both sides must have answered every finding of the external review"
    ]


def test_both_packs_of_the_cycle_are_compared_by_their_digests() -> None:
    programme = close_questionnaire(asked_again())
    earlier = programme.engagement.running.diagnosis.survey(DIAGNOSIS).pack
    assert [(one.earlier, one.later) for one in programme.events(CyclesCompared)] == [(earlier, PACK)]


def test_too_few_answers_at_the_end_of_the_year_end_the_questionnaire_and_not_the_engagement() -> None:
    programme = asked_again()
    while not programme.tasks(FACILITATOR, "ChooseAfterShortfall"):
        programme.wait(1)
    programme.do(ChooseAfterShortfall(choice=diagnosis.Choice.STOP), FACILITATOR)
    assert not programme.engagement.ended
    assert diagnosis.current(programme.engagement) is None
    assert not list(diagnosis.errands(programme.engagement))
    programme.wait(25)
    assert programme.tasks(MEDICAL, "DecideRenewal")


def test_a_last_joint_session_is_called_and_waited_for_only_so_long() -> None:
    programme = close_questionnaire(asked_again())
    sessions = programme.engagement.running.sessions.all.values()
    assert [one.letter for one in sessions if one.purpose is Purpose.LEARNING] == ["D"]
    called = programme.today
    while not programme.tasks(MEDICAL, "DecideRenewal"):
        programme.wait(1)
    assert programme.engagement.time.between(called, programme.today) == 21


def test_the_sponsors_are_asked_at_once_when_the_notes_of_the_last_session_count() -> None:
    programme = close_questionnaire(asked_again())
    session = next(one for one in programme.engagement.running.sessions.all.values() if one.purpose is Purpose.LEARNING)
    assert renewal.session_waited_for(programme.engagement)
    counts = session.model_copy(update={"counts_from": programme.today})
    sessions = programme.engagement.running.sessions.with_session(counts)
    assert renewal.session_waited_for(programme.engagement.in_cycle(sessions=sessions)) is None


# --- both sponsors -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("person", [PM, FACILITATOR, "d1"])
def test_only_the_sponsors_decide_what_comes_next(person: PersonId) -> None:
    with pytest.raises(RoleRequired):
        sponsors_asked().do(DecideRenewal(choice=RENEW), person)


@pytest.mark.parametrize("choice", [RENEW, SUSTAIN, CLOSE])
def test_one_sponsor_alone_renews_sustains_and_closes_nothing(choice: NextStep) -> None:
    programme = sponsors_asked()
    programme.do(DecideRenewal(choice=choice), MEDICAL)
    assert not settled(programme)
    assert not programme.events(RenewalRevealed)
    with pytest.raises(AlreadyDone):
        programme.do(DecideRenewal(choice=choice), MEDICAL)


def test_both_decisions_are_shown_to_both_sponsors_in_one_message() -> None:
    programme = sponsors_asked()
    programme.do(DecideRenewal(choice=RENEW), MEDICAL)
    events = programme.do(DecideRenewal(choice=SUSTAIN), MANAGERIAL)
    told = [one for one in events if isinstance(one, NoticeRaised) and "Both decisions" in one.title]
    assert [(one.people, one.together) for one in told] == [((MEDICAL, MANAGERIAL), True)]


def test_decisions_wait_while_a_sponsors_willingness_is_not_in_force() -> None:
    programme = sponsors_asked()
    given(programme, WillingnessAsked(round=2, on=programme.today))
    programme.wait(12)
    assert not programme.events(JointMeetingAsked)
    decide(programme, RENEW, RENEW)
    assert not settled(programme)
    for sponsor in (MEDICAL, MANAGERIAL):
        programme.do(StateWillingness(answer=Answer.WILLING), sponsor)
    assert settled(programme) == [(RENEW, False)]


# --- renew ---------------------------------------------------------------------------------------------------------


def test_a_renewed_cycle_takes_over_open_actions_differences_compact_and_measures() -> None:
    programme = sponsors_asked()
    raised = DifferenceRaised(difference="D1", title="What counts as safe", person="d1", on=programme.today)
    given(programme, raised, *active_action(programme.today, "A2"))
    before = programme.engagement
    decide(programme, RENEW, RENEW)
    after = programme.engagement
    assert settled(programme) == [(RENEW, False)]
    assert after.running.number == 2
    assert after.running.agreement.actions[ACTION].status is ActionStatus.ACTIVE
    assert after.running.agreement.compact == before.running.agreement.compact
    assert (after.differences, after.measures) == (before.differences, before.measures)
    assert set(after.differences) == {"D1"}


def test_only_one_cycle_of_an_engagement_is_open() -> None:
    programme = decide(sponsors_asked(), RENEW, RENEW)
    assert [one.number for one in programme.engagement.past] == [1]
    assert all(span.ended for span in programme.engagement.stages if span.cycle < 2)
    assert all(not task.id.startswith("1/") for task in programme.engagement.open_tasks)


def test_the_re_diagnosis_just_made_is_the_diagnosis_of_the_next_cycle() -> None:
    programme = decide(sponsors_asked(), RENEW, RENEW)
    assert [one.pack for one in programme.events(DiagnosisCarriedOver)] == [PACK]
    survey = programme.engagement.running.diagnosis.survey(DIAGNOSIS)
    assert (survey.pack, survey.carried) == (PACK, True)
    assert open_stages(programme) == {Stage.EXCHANGE}


@pytest.mark.parametrize("why", ["stopped", "another questionnaire"])
def test_people_are_asked_afresh_where_the_re_diagnosis_cannot_serve(why: str) -> None:
    if why == "stopped":
        programme = asked_again()
        while not programme.tasks(FACILITATOR, "ChooseAfterShortfall"):
            programme.wait(1)
        programme.do(ChooseAfterShortfall(choice=diagnosis.Choice.STOP), FACILITATOR)
        while not programme.tasks(MEDICAL, "DecideRenewal"):
            programme.wait(1)
        decide(programme, RENEW, RENEW)
    else:
        programme = sponsors_asked()
        newer = TWELVE_MONTHS.model_copy(update={"version": "2", "questionnaire_version": 2})
        programme.do(OfferTemplate(template=newer), CLOCK)
        for sponsor in (MEDICAL, MANAGERIAL):
            programme.do(DecideRenewal(choice=RENEW, newest_template=True), sponsor)
    assert not programme.events(DiagnosisCarriedOver)
    opened = [one.survey for one in programme.events(WindowOpened)]
    assert opened == [DIAGNOSIS, REDIAGNOSIS, DIAGNOSIS]
    assert open_stages(programme) == {Stage.DIAGNOSIS}


@pytest.mark.parametrize(("medical", "managerial", "version"), [(True, True, "2"), (True, False, "1")])
def test_a_next_cycle_runs_under_the_newest_template_only_if_both_sponsors_say_so(
    medical: bool, managerial: bool, version: str
) -> None:
    programme = sponsors_asked()
    with pytest.raises(Invalid):
        programme.do(DecideRenewal(choice=RENEW, newest_template=True), MEDICAL)
    newer: ProgrammeTemplate = TWELVE_MONTHS.model_copy(update={"version": "2"})
    programme.do(OfferTemplate(template=newer), CLOCK)
    assert programme.engagement.template.version == "1"
    programme.do(DecideRenewal(choice=RENEW, newest_template=medical), MEDICAL)
    programme.do(DecideRenewal(choice=RENEW, newest_template=managerial), MANAGERIAL)
    assert programme.engagement.template.version == version


def test_a_template_that_is_known_is_no_news() -> None:
    programme = sponsors_asked()
    newer = TWELVE_MONTHS.model_copy(update={"version": "2"})
    assert programme.do(OfferTemplate(template=TWELVE_MONTHS), CLOCK) == []
    offered, told = programme.do(OfferTemplate(template=newer), CLOCK)
    assert isinstance(offered, TemplateOffered)
    assert isinstance(told, NoticeRaised)
    assert (told.people, told.together) == ((MEDICAL, MANAGERIAL), True)
    assert programme.do(OfferTemplate(template=newer), CLOCK) == []


def test_nothing_else_is_offered_once_a_sponsor_has_decided_about_what_was() -> None:
    programme = sponsors_asked()
    second, third = (TWELVE_MONTHS.model_copy(update={"version": version}) for version in "23")
    programme.do(OfferTemplate(template=second), CLOCK)
    programme.do(DecideRenewal(choice=RENEW, newest_template=True), MEDICAL)
    assert programme.do(OfferTemplate(template=third), CLOCK) == []
    with pytest.raises(NotYet):
        programme.do(SuggestTemplate(template=third), PM)
    programme.do(DecideRenewal(choice=RENEW, newest_template=True), MANAGERIAL)
    assert programme.engagement.template == second


def test_the_programme_manager_can_offer_another_template_before_the_year_ends() -> None:
    programme = begun(Stage.DELIVERY)
    shorter = TWELVE_MONTHS.model_copy(update={"name": "shorter"})
    longer = TWELVE_MONTHS.model_copy(update={"name": "longer"})
    programme.do(SuggestTemplate(template=shorter), PM)
    assert programme.engagement.template == TWELVE_MONTHS, "the running cycle keeps its own"
    assert programme.engagement.running.renewal.offered == shorter
    for known in (shorter, TWELVE_MONTHS):
        with pytest.raises(AlreadyDone):
            programme.do(SuggestTemplate(template=known), PM)
    programme.do(SuggestTemplate(template=longer), PM)
    assert programme.engagement.running.renewal.offered == longer


def test_a_template_that_could_not_run_is_not_offered() -> None:
    unsound = TWELVE_MONTHS.model_copy(update={"rediagnosis_month": 0})
    with pytest.raises(Invalid):
        begun(Stage.DELIVERY).do(SuggestTemplate(template=unsound), PM)
    with pytest.raises(NotYet):
        begun(Stage.MANDATE).do(SuggestTemplate(template=TWELVE_MONTHS), PM)


def test_a_template_is_brought_by_the_system_and_by_nobody_else() -> None:
    with pytest.raises(RoleRequired):
        sponsors_asked().do(OfferTemplate(template=TWELVE_MONTHS), PM)


# --- when they differ ----------------------------------------------------------------------------------------------


def meet(programme: Programme) -> Programme:
    """Both sponsors meet with the facilitator."""
    programme.do(RecordJointMeeting(attended=(MEDICAL, MANAGERIAL), summary="We heard each other"), FACILITATOR)
    return programme


def test_sponsors_who_differ_meet_once_with_the_facilitator_and_decide_again() -> None:
    programme = decide(sponsors_asked(), RENEW, CLOSE)
    assert not settled(programme)
    task = next(iter(programme.tasks(FACILITATOR, "RecordJointMeeting")))
    assert task.due
    assert programme.engagement.time.between(programme.today, task.due.on) == 15
    with pytest.raises(NotYet):
        programme.do(DecideRenewal(choice=RENEW), MEDICAL)
    meet(programme)
    assert [one.round for one in programme.events(RenewalAsked)] == [1, 2]
    with pytest.raises(AlreadyDone):
        meet(programme)
    decide(programme, CLOSE, CLOSE)
    assert settled(programme) == [(CLOSE, False)]


def test_the_joint_meeting_is_one_of_both_sponsors_and_says_what_was_said() -> None:
    programme = sponsors_asked()
    command = RecordJointMeeting(attended=(MEDICAL, MANAGERIAL), summary="We heard each other")
    with pytest.raises(NotYet):
        programme.do(command, FACILITATOR)
    decide(programme, RENEW, CLOSE)
    with pytest.raises(SponsorsAbsent):
        programme.do(command.model_copy(update={"attended": (MEDICAL,)}), FACILITATOR)
    with pytest.raises(Invalid):
        programme.do(command.model_copy(update={"summary": " "}), FACILITATOR)
    with pytest.raises(RoleRequired):
        programme.do(command, PM)


def test_sponsors_who_differ_twice_sustain() -> None:
    programme = decide(meet(decide(sponsors_asked(), RENEW, CLOSE)), RENEW, CLOSE)
    assert settled(programme) == [(SUSTAIN, True)]


def test_a_silent_sponsor_is_asked_to_a_meeting_and_the_other_ones_decision_stays_unseen() -> None:
    programme = sponsors_asked()
    due = next(iter(programme.tasks(MANAGERIAL, "DecideRenewal"))).due
    assert due
    programme.do(DecideRenewal(choice=CLOSE), MEDICAL)
    programme.advance(due.on)
    assert not programme.events(JointMeetingAsked)
    programme.wait(1)
    assert programme.events(JointMeetingAsked)
    assert not programme.events(RenewalRevealed)
    assert not settled(programme)


@pytest.mark.parametrize("met", [True, False])
def test_silence_neither_ends_nor_renews_and_after_the_meeting_sustains(met: bool) -> None:
    programme = decide(sponsors_asked(), RENEW, CLOSE)
    if met:
        meet(programme)
        programme.do(DecideRenewal(choice=CLOSE), MEDICAL)
    programme.wait(10 if met else 15)
    assert not settled(programme)
    programme.wait(1)
    assert settled(programme) == [(SUSTAIN, True)]


# --- sustain -------------------------------------------------------------------------------------------------------


def test_a_year_of_sustaining_holds_an_external_review_and_the_questionnaire_and_nothing_else() -> None:
    programme = decide(sponsors_asked(), SUSTAIN, SUSTAIN)
    engagement = programme.engagement
    assert progress(engagement) == "Sustaining"
    assert not engagement.ended
    assert [review for review, _ in review_plan.plans(engagement)] == ["2-external-1"]
    keys = {due.key for due in engagement.coming}
    assert {"act:challenge:open/2-external-1", "act:renewal:open"} <= keys
    assert open_stages(programme) == {Stage.CHALLENGE}
    reviewed_outside(programme)
    in_month(programme, 11)
    assert open_stages(programme) == {Stage.CHALLENGE, Stage.RENEWAL}
    close_questionnaire(programme, "b" * 64)
    assert [(one.earlier, one.later) for one in programme.events(CyclesCompared)][-1] == (PACK, "b" * 64)
    assert programme.tasks(MEDICAL, "DecideRenewal")
    decide(programme, RENEW, RENEW)
    assert (programme.engagement.running.number, programme.engagement.running.sustaining) == (3, False)


# --- a second cycle ------------------------------------------------------------------------------------------------


def test_a_renewed_programme_goes_through_its_stages_again() -> None:
    programme = close_questionnaire(begun(Stage.RENEWAL))
    learned = Outputs(summary="We looked back", learned="Weekends need their own plan")
    schedule(programme, "1D", 12)
    hold(programme, "1D")
    write(programme, "1D", learned)
    confirm(programme, "1D")
    decide(programme, RENEW, RENEW)
    play_exchange(programme)
    for letter in "ABC":
        play_session(programme, f"2{letter}")
    assert open_stages(programme) == {Stage.DELIVERY, Stage.CHALLENGE}  # what was agreed before is still agreed
    assert fold(Engagement(), programme.entries) == programme.engagement


# --- close ---------------------------------------------------------------------------------------------------------


def test_both_sponsors_close_and_retention_begins() -> None:
    programme = decide(sponsors_asked(), CLOSE, CLOSE)
    closed = programme.events(EngagementClosed)[0]
    assert (closed.on, closed.retention_from) == (programme.today, programme.today)
    assert closed.actions == {"active": 1}
    assert (closed.cycles, closed.reviews) == (1, 1)
    assert programme.engagement.ended == "closed"
    assert progress(programme.engagement) == "Closed"
    assert not open_stages(programme)
    with pytest.raises(EngagementEnded):
        programme.do(DecideRenewal(choice=RENEW), MEDICAL)


def test_everybody_is_told_that_it_has_ended_and_then_nothing_more_comes() -> None:
    programme = decide(sponsors_asked(), CLOSE, CLOSE)
    programme.wait(8)
    for person in ("d7", "m7", PM, FACILITATOR):
        assert "The programme has ended by decision of both sponsors" in programme.told(person)
    assert next_wake(programme.engagement, programme.at) is None
    assert not programme.tasks()


def test_the_end_of_a_cycle_can_be_rebuilt_from_its_history() -> None:
    for outcome in (RENEW, SUSTAIN, CLOSE):
        programme = decide(sponsors_asked(), outcome, outcome)
        assert fold(Engagement(), programme.entries) == programme.engagement


def test_history_written_before_templates_travelled_with_a_cycle_still_loads() -> None:
    old = CycleStarted.model_validate({"kind": "CycleStarted", "number": 1, "on": date(2026, 1, 5)})
    assert old.template is None


def in_a_second_cycle() -> Programme:
    """The exchange of a second cycle has begun, and A1 of the first is still agreed."""
    programme = close_questionnaire(begun(Stage.RENEWAL))
    programme.wait(21)  # nobody comes to look back
    decide(programme, RENEW, RENEW)
    return programme


def test_pairs_of_different_cycles_never_share_an_id_under_which_candid_words_are_kept() -> None:
    programme = in_a_second_cycle()
    programme.do(ConfirmPairs(), PM)
    first, second = (set(one.exchange.pairs) for one in (programme.engagement.past[0], programme.engagement.running))
    assert len(first) == len(second) == 14
    assert first.isdisjoint(second)


def test_a_session_called_before_those_of_the_cycle_keeps_its_place() -> None:
    programme = in_a_second_cycle()
    action = programme.engagement.running.agreement.actions["A1"]
    text = ActionText.model_validate(action.model_dump(include=set(ActionText.model_fields)))
    later = text.model_copy(
        update={"aim": text.aim and text.aim.model_copy(update={"by": month_after(programme.today, 6)})}
    )
    programme.do(ChangeAction(action="A1", text=later), "d1")
    programme.do(DeclineAction(action="A1", version=2, reason="The weekend has no staff"), "m1")
    (called,) = programme.engagement.running.sessions.all
    play_exchange(programme)
    purposes = {one.id: one.purpose for one in programme.engagement.running.sessions.all.values()}
    assert purposes.pop(called) is Purpose.AGREEMENT
    assert list(purposes.values()) == [Purpose.PLANNED] * 3
