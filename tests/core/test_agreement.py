"""Agreement: two sides, one version, no consent by silence; and gate G4."""

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from programme.continuity import PauseEngagement, ResumeEngagement
from programme.engagement import Engagement, fold
from programme.gates import GatePassed
from programme.measure import Direction, MeasureKind
from programme.messages import Side, Stage
from programme.people import Enrolment, EnrolPeople
from programme.post import NoticeRaised
from programme.refusals import (
    ActionElsewhere,
    ActionIncomplete,
    AlreadyDone,
    Invalid,
    NotCoOwner,
    NotSignatory,
    NotYet,
    RoleRequired,
    TooManyActions,
    UnknownAction,
    UnknownMeasure,
    UnknownPerson,
    VersionMoved,
    WrongSide,
)
from programme.stages import agreement
from programme.stages.action import ActionStatus, Aim, Screened
from programme.stages.agreement import ActionAgreed, AgreeAction, DeclineAction
from programme.stages.compact import CompactWritten, SignCompact
from programme.stages.drafting import ActionText, ChangeAction, DraftAction, ProposeAction
from programme.stages.halves import WithdrawAction
from programme.stages.needs import AddDevelopmentNeed, DropDevelopmentNeed, OwnDevelopmentNeed
from programme.stages.session import Purpose
from programme.stages.sessions import AttendanceRecorded, SessionCalled
from tests.core.agreed import (
    BASELINE,
    CLEAR,
    CLINICAL,
    DOCTOR,
    MANAGER,
    action,
    add_points,
    agree,
    agreeing,
    define,
    draft,
    propose,
    status,
    text,
)
from tests.core.given import given
from tests.core.programme_driver import FACILITATOR, MANAGERIAL, MEDICAL, OUTPUTS, PM, Programme, begun


def aim(programme: Programme, **changes: Any) -> Aim:
    complete = text(programme).aim
    assert complete is not None
    return complete.model_copy(update=changes)


def called(programme: Programme) -> list[Purpose]:
    """The extra joint sessions that wait for a date."""
    return [one.purpose for one in programme.engagement.running.sessions.all.values() if one.starts is None]


# --- drafting and proposing ----------------------------------------------------------------------------------------


def test_actions_are_drafted_from_the_joint_sessions_on() -> None:
    programme = begun(Stage.EXCHANGE)
    with pytest.raises(NotYet):
        programme.do(DraftAction(text=ActionText(title="Too early")), DOCTOR)


def test_a_draft_may_be_incomplete_but_not_wrong() -> None:
    programme = agreeing()
    programme.do(DraftAction(text=ActionText(title="An idea")), FACILITATOR)
    wrong: list[tuple[dict[str, Any], type[Exception]]] = [
        ({"title": ""}, Invalid),
        ({"conditions": ("C12",)}, Invalid),
        ({"conditions": ("C01", "C01")}, Invalid),
        ({"conditions": ("C01", "C02", "C03", "C04")}, Invalid),
        ({"measures": ("M9",)}, UnknownMeasure),
        ({"measures": ("M1", "M1")}, Invalid),
        ({"doctor_owner": MANAGER}, WrongSide),
        ({"manager_owner": "nobody"}, UnknownPerson),
        ({"doctor_signatory": FACILITATOR}, WrongSide),
        ({"replaces": "A9"}, UnknownAction),
        ({"aim": aim(programme, to_value=Decimal("1e30"))}, Invalid),
    ]
    for changes, refusal in wrong:
        with pytest.raises(refusal):
            draft(programme, **changes)


def test_a_cycle_carries_at_most_eight_actions() -> None:
    programme = agreeing()
    for _ in range(8):
        draft(programme)
    with pytest.raises(TooManyActions):
        draft(programme)


@pytest.mark.parametrize(
    ("lacking", "words"),
    [
        (lambda _: {"conditions": ()}, "condition"),
        (lambda _: {"measures": ()}, "measure"),
        (lambda _: {"doctor_owner": ""}, "doctor"),
        (lambda _: {"manager_owner": ""}, "manager"),
        (lambda _: {"aim": None}, "aim"),
        (lambda programme: {"aim": aim(programme, sentence=" ")}, "aim"),
        (lambda programme: {"aim": aim(programme, by=programme.today)}, "date"),
        (lambda programme: {"aim": aim(programme, to_value=Decimal(60))}, "direction"),
    ],
)
def test_nothing_vague_is_proposed(lacking: Callable[[Programme], dict[str, Any]], words: str) -> None:
    programme = agreeing()
    drafted = draft(programme, **lacking(programme))
    with pytest.raises(ActionIncomplete, match=words):
        programme.do(ProposeAction(action=drafted.id, screening=CLEAR), DOCTOR)


def test_an_action_needs_a_measure_with_a_direction_and_a_baseline() -> None:
    programme = agreeing()
    define(programme, direction=Direction.NEUTRAL)
    add_points(programme, BASELINE, measure="M2")
    define(programme)
    define(programme, purpose=MeasureKind.BALANCING)
    add_points(programme, BASELINE, measure="M4")
    for measures, words in ((("M2",), "direction"), (("M3",), "baseline"), (("M4",), "outcome or process")):
        drafted = draft(programme, measures=measures)
        with pytest.raises(ActionIncomplete, match=words):
            programme.do(ProposeAction(action=drafted.id, screening=CLEAR), DOCTOR)


def test_an_aim_that_goes_down_suits_a_measure_that_is_better_low() -> None:
    programme = agreeing()
    define(programme, direction=Direction.DOWN)
    add_points(programme, BASELINE, measure="M2")
    downwards = aim(programme, from_value=Decimal(68), to_value=Decimal(40))
    assert propose(programme, measures=("M2",), aim=downwards).status is ActionStatus.PROPOSED


def test_in_the_sessions_nothing_is_proposed_before_the_last_one_had_its_quorum() -> None:
    programme = begun(Stage.SESSIONS)
    define(programme)
    add_points(programme, BASELINE)
    drafted = draft(programme)
    proposal = ProposeAction(action=drafted.id, screening=CLEAR)
    last = SessionCalled(session="1C", letter="C", title="Agree", purpose=Purpose.PLANNED, on=programme.today)
    for quorate, people in ((False, ()), (True, (DOCTOR, MANAGER))):
        with pytest.raises(NotYet):
            programme.do(proposal, DOCTOR)
        held = AttendanceRecorded(
            session="1C", voting=people, others=(), facilitator_present=True, quorate=quorate, on=programme.today
        )
        given(programme, last, held)
    programme.do(proposal, DOCTOR)
    with pytest.raises(NotYet):
        programme.do(AgreeAction(action="A1", version=1), DOCTOR)
    programme.wait(15)
    assert status(programme) is ActionStatus.PROPOSED, "its days begin when the sessions have ended"


# --- agreeing ------------------------------------------------------------------------------------------------------


def test_an_action_is_active_only_with_a_yes_from_each_side() -> None:
    programme = agreeing()
    propose(programme)
    programme.do(AgreeAction(action="A1", version=1), DOCTOR)
    assert status(programme) is ActionStatus.PROPOSED
    with pytest.raises(AlreadyDone):
        programme.do(AgreeAction(action="A1", version=1), DOCTOR)
    programme.do(AgreeAction(action="A1", version=1), MANAGER)
    assert status(programme) is ActionStatus.ACTIVE
    assert {side: one.by for side, one in action(programme).agreements.items()} == {
        Side.DOCTOR: DOCTOR,
        Side.MANAGER: MANAGER,
    }


def test_the_yes_of_one_person_never_counts_for_two_sides() -> None:
    programme = agreeing()
    propose(programme)
    for side in Side:
        given(programme, ActionAgreed(action="A1", version=1, side=side, by=DOCTOR, on=programme.today))
    programme.wait(1)
    assert status(programme) is not ActionStatus.ACTIVE


def test_only_the_person_named_for_a_side_signs() -> None:
    programme = agreeing()
    propose(programme, manager_signatory="m5")
    for somebody in ("d2", MANAGER, "m2"):
        with pytest.raises(NotSignatory):
            programme.do(AgreeAction(action="A1", version=1), somebody)
    for outsider in (PM, FACILITATOR, MEDICAL):
        with pytest.raises(RoleRequired):
            programme.do(AgreeAction(action="A1", version=1), outsider)
    programme.do(AgreeAction(action="A1", version=1), DOCTOR)
    programme.do(AgreeAction(action="A1", version=1), "m5")
    assert status(programme) is ActionStatus.ACTIVE


def test_a_yes_is_given_to_the_version_that_was_read() -> None:
    programme = agreeing()
    propose(programme)
    programme.do(ChangeAction(action="A1", text=text(programme, scope="Nights only")), MANAGER)
    with pytest.raises(VersionMoved):
        programme.do(AgreeAction(action="A1", version=1), DOCTOR)
    with pytest.raises(VersionMoved):
        programme.do(DeclineAction(action="A1", version=1, reason="No"), DOCTOR)


def test_silence_never_becomes_agreement() -> None:
    programme = agreeing()
    propose(programme)
    programme.do(AgreeAction(action="A1", version=1), DOCTOR)
    programme.wait(10)
    assert status(programme) is ActionStatus.PROPOSED
    programme.wait(1)
    expired = action(programme)
    assert (expired.status, expired.version, expired.agreements) == (ActionStatus.DRAFT, 2, {})
    assert called(programme)[-1] is Purpose.AGREEMENT
    for person in (PM, FACILITATOR):
        assert any("expired" in title for title in programme.told(person))
    programme.wait(30)
    assert status(programme) is ActionStatus.DRAFT


def test_what_expired_can_be_proposed_again_and_needs_both_sides_anew() -> None:
    programme = agreeing()
    propose(programme)
    programme.do(AgreeAction(action="A1", version=1), DOCTOR)
    programme.wait(11)
    programme.do(ProposeAction(action="A1", screening=CLEAR), MANAGER)
    programme.do(AgreeAction(action="A1", version=2), MANAGER)
    assert status(programme) is ActionStatus.PROPOSED
    programme.do(AgreeAction(action="A1", version=2), DOCTOR)
    assert status(programme) is ActionStatus.ACTIVE


def test_each_side_is_asked_for_10_working_days_and_reminded_on_the_fourth_and_the_eighth() -> None:
    programme = agreeing()
    propose(programme)
    tasks = programme.tasks(command="AgreeAction")
    assert {task.person for task in tasks} == {DOCTOR, MANAGER}
    time = programme.engagement.time
    assert {task.due.on for task in tasks if task.due} == {time.plus(programme.today, 10)}
    programme.do(AgreeAction(action="A1", version=1), DOCTOR)
    programme.wait(10)
    assert programme.told(MANAGER).count("Agree to action A1, or decline it") == 3
    assert "Agree to action A1, or decline it" not in programme.told(DOCTOR)


def test_one_side_declines_with_a_reason_and_a_joint_session_is_called() -> None:
    programme = agreeing()
    propose(programme)
    with pytest.raises(Invalid):
        programme.do(DeclineAction(action="A1", version=1, reason=""), MANAGER)
    with pytest.raises(NotSignatory):
        programme.do(DeclineAction(action="A1", version=1, reason="No"), "m2")
    programme.do(DeclineAction(action="A1", version=1, reason="Nobody to staff it"), MANAGER)
    assert (status(programme), action(programme).reason) == (ActionStatus.DECLINED, "Nobody to staff it")
    assert called(programme)[-1] is Purpose.AGREEMENT
    with pytest.raises(ActionElsewhere):
        programme.do(AgreeAction(action="A1", version=1), DOCTOR)


def test_nobody_is_made_a_co_owner_against_their_no() -> None:
    programme = agreeing()
    propose(programme, manager_signatory="m5")
    programme.do(DeclineAction(action="A1", version=1, reason="Not I"), MANAGER)
    assert status(programme) is ActionStatus.DECLINED


# --- changing ------------------------------------------------------------------------------------------------------


def test_a_draft_is_changed_by_anybody_who_takes_part_and_stays_the_first_version() -> None:
    programme = agreeing()
    draft(programme, measures=())
    for somebody in ("m7", FACILITATOR):
        programme.do(ChangeAction(action="A1", text=text(programme, title="Seniors first")), somebody)
    assert (status(programme), action(programme).version) == (ActionStatus.DRAFT, 1)
    assert (action(programme).title, action(programme).measures) == ("Seniors first", ("M1",))
    with pytest.raises(Invalid):
        programme.do(ChangeAction(action="A1", text=text(programme, title=" ")), DOCTOR)


MATERIAL: list[Callable[[Programme], dict[str, Any]]] = [
    lambda programme: {"aim": aim(programme, to_value=Decimal(80))},
    lambda programme: {"aim": aim(programme, sentence="Another aim")},
    lambda programme: {"aim": aim(programme, by=aim(programme).by + timedelta(days=40))},
    lambda programme: {"aim": aim(programme, by=aim(programme).by - timedelta(days=40))},
    lambda _: {"measures": ("M1", "M2")},
    lambda _: {"doctor_owner": "d2"},
    lambda _: {"manager_owner": "m2"},
    lambda _: {"scope": "The whole hospital"},
    lambda _: {"title": "Consultants everywhere"},
]


@pytest.mark.parametrize("change", MATERIAL)
def test_a_material_change_voids_what_was_agreed(change: Callable[[Programme], dict[str, Any]]) -> None:
    programme = agreeing()
    define(programme)
    add_points(programme, BASELINE, measure="M2")
    propose(programme)
    programme.do(AgreeAction(action="A1", version=1), DOCTOR)
    programme.do(ChangeAction(action="A1", text=text(programme, **change(programme))), MANAGER)
    changed = action(programme)
    assert (changed.status, changed.version, changed.agreements) == (ActionStatus.PROPOSED, 2, {})
    programme.do(AgreeAction(action="A1", version=2), changed.manager_owner)
    assert status(programme) is ActionStatus.PROPOSED
    programme.do(AgreeAction(action="A1", version=2), changed.doctor_owner)
    assert status(programme) is ActionStatus.ACTIVE


def test_a_material_change_stops_an_active_action_until_both_agree_again() -> None:
    programme = agreeing()
    propose(programme)
    agree(programme)
    programme.do(ChangeAction(action="A1", text=text(programme, scope="Nights only")), DOCTOR)
    assert status(programme) is ActionStatus.PROPOSED
    agree(programme)
    assert status(programme) is ActionStatus.ACTIVE


def test_a_small_change_of_dates_or_conditions_leaves_the_agreement() -> None:
    programme = agreeing()
    propose(programme)
    agree(programme)
    later = aim(programme, by=programme.engagement.time.plus(aim(programme).by, 20))
    programme.do(ChangeAction(action="A1", text=text(programme, aim=later, conditions=("C09", "C10"))), DOCTOR)
    assert (status(programme), action(programme).version) == (ActionStatus.ACTIVE, 1)
    assert action(programme).aim == later


def test_small_moves_of_a_date_add_up_to_a_material_one() -> None:
    programme = agreeing()
    propose(programme)
    agree(programme)
    by = aim(programme).by
    for _ in range(2):
        by = programme.engagement.time.plus(by, 15)
        programme.do(ChangeAction(action="A1", text=text(programme, aim=aim(programme, by=by))), DOCTOR)
    assert (status(programme), action(programme).version) == (ActionStatus.PROPOSED, 2)


def test_a_proposed_action_is_changed_only_by_those_whose_action_it_is() -> None:
    programme = agreeing()
    propose(programme)
    for somebody in ("d2", "m2", FACILITATOR):
        with pytest.raises(NotCoOwner):
            programme.do(ChangeAction(action="A1", text=text(programme, scope="Mine")), somebody)


def test_one_side_does_not_choose_who_signs_for_the_other() -> None:
    programme = agreeing()
    propose(programme)
    with pytest.raises(WrongSide):
        programme.do(ChangeAction(action="A1", text=text(programme, manager_signatory="m9")), DOCTOR)
    with pytest.raises(WrongSide):
        programme.do(ChangeAction(action="A1", text=text(programme, doctor_signatory="d9")), MANAGER)
    programme.do(ChangeAction(action="A1", text=text(programme, manager_signatory="m9")), MANAGER)
    programme.do(AgreeAction(action="A1", version=1), "m9")


def test_a_change_that_takes_away_what_a_proposal_needs_is_refused() -> None:
    programme = agreeing()
    propose(programme)
    with pytest.raises(ActionIncomplete):
        programme.do(ChangeAction(action="A1", text=text(programme, measures=())), DOCTOR)


def test_an_action_whose_co_owner_no_longer_takes_part_is_not_agreed() -> None:
    programme = agreeing()
    propose(programme, doctor_signatory="d3")
    people = programme.engagement.people
    gone = people[DOCTOR].but(accepted=None)
    programme.engagement = programme.engagement.but(people={**people, DOCTOR: gone})
    with pytest.raises(ActionIncomplete):
        programme.do(AgreeAction(action="A1", version=1), "d3")


def test_a_new_action_takes_the_place_of_the_one_it_replaces_once_it_is_active() -> None:
    programme = agreeing()
    propose(programme)
    agree(programme)
    propose(programme, replaces="A1")
    assert status(programme) is ActionStatus.ACTIVE
    agree(programme, "A2")
    assert (status(programme), status(programme, "A2")) == (ActionStatus.SUPERSEDED, ActionStatus.ACTIVE)


# --- withdrawing ---------------------------------------------------------------------------------------------------


def test_an_action_is_withdrawn_by_both_sides_and_not_by_one() -> None:
    programme = agreeing()
    propose(programme)
    agree(programme)
    with pytest.raises(NotCoOwner):
        programme.do(WithdrawAction(action="A1"), "m2")
    programme.do(WithdrawAction(action="A1"), DOCTOR)
    assert status(programme) is ActionStatus.ACTIVE
    with pytest.raises(AlreadyDone):
        programme.do(WithdrawAction(action="A1"), DOCTOR)
    assert [task.person for task in programme.tasks(command="WithdrawAction")] == [MANAGER]
    programme.do(WithdrawAction(action="A1"), MANAGER)
    assert status(programme) is ActionStatus.WITHDRAWN


def test_a_draft_that_nobody_owns_is_withdrawn_by_anybody_of_each_side() -> None:
    programme = agreeing()
    draft(programme, doctor_owner="", manager_owner="")
    programme.do(WithdrawAction(action="A1"), "d7")
    programme.do(WithdrawAction(action="A1"), "m7")
    assert status(programme) is ActionStatus.WITHDRAWN


# --- the compact ---------------------------------------------------------------------------------------------------


def test_the_compact_needs_both_sponsors() -> None:
    programme = agreeing()
    propose(programme)
    agree(programme)
    programme.do(SignCompact(version=1), MEDICAL)
    assert programme.engagement.in_stage(Stage.AGREEMENT)
    with pytest.raises(AlreadyDone):
        programme.do(SignCompact(version=1), MEDICAL)
    for somebody in (DOCTOR, PM, FACILITATOR):
        with pytest.raises(RoleRequired):
            programme.do(SignCompact(version=1), somebody)
    assert [task.person for task in programme.tasks(command="SignCompact")] == [MANAGERIAL]
    programme.do(SignCompact(version=1), MANAGERIAL)
    assert programme.engagement.in_stage(Stage.DELIVERY)


def test_what_is_signed_is_what_the_last_joint_session_drafted() -> None:
    programme = begun(Stage.AGREEMENT)
    compact = programme.engagement.running.agreement.compact
    drafted = OUTPUTS["C"].compact
    assert drafted
    assert (compact.version, compact.doctors_give, compact.managers_give) == (
        1,
        drafted.doctors_give,
        drafted.managers_give,
    )
    assert {task.person for task in programme.tasks(command="SignCompact")} == {MEDICAL, MANAGERIAL}


def test_another_text_of_the_compact_needs_both_signatures_anew() -> None:
    programme = agreeing()
    programme.do(SignCompact(version=1), MEDICAL)
    given(programme, CompactWritten(version=2, doctors_give=("More",), managers_give=("More",), on=programme.today))
    assert programme.engagement.running.agreement.compact.signatures == {}
    with pytest.raises(VersionMoved):
        programme.do(SignCompact(version=1), MEDICAL)


def test_there_is_nothing_to_sign_before_the_sessions_drafted_it() -> None:
    with pytest.raises(NotYet):
        begun(Stage.SESSIONS).do(SignCompact(version=0), MEDICAL)


# --- gate G4 -------------------------------------------------------------------------------------------------------


def nearly() -> Programme:
    """Everything that gate G4 asks for but the second signature under the compact."""
    programme = agreeing()
    propose(programme)
    agree(programme)
    programme.do(SignCompact(version=1), MEDICAL)
    return programme


def finish(programme: Programme) -> bool:
    programme.do(SignCompact(version=1), MANAGERIAL)
    return programme.engagement.in_stage(Stage.DELIVERY)


def test_gate_g4_opens_delivery_and_the_challenge_reviews() -> None:
    programme = nearly()
    assert finish(programme)
    assert programme.engagement.in_stage(Stage.CHALLENGE)
    assert not programme.engagement.in_stage(Stage.AGREEMENT)
    assert programme.events(GatePassed)[-1].gate == "G4"
    assert agreement.follows(programme.engagement, None) == []  # type: ignore[arg-type]


def test_gate_g4_waits_for_an_active_action() -> None:
    programme = agreeing()
    programme.do(SignCompact(version=1), MEDICAL)
    assert not finish(programme)
    propose(programme)
    agree(programme)
    assert programme.engagement.in_stage(Stage.DELIVERY)


@pytest.mark.parametrize("screening", [CLEAR, CLINICAL])
def test_gate_g4_waits_until_every_proposed_action_is_decided(screening: Any) -> None:
    programme = nearly()
    propose(programme, screening=screening)
    if screening is CLINICAL:
        agree(programme, "A2")
    assert not finish(programme)
    assert "action A2 must be decided" in agreement.lacks(programme.engagement)


def test_a_declined_action_is_decided() -> None:
    programme = nearly()
    propose(programme)
    assert not finish(programme)
    programme.do(DeclineAction(action="A2", version=1, reason="Not now"), DOCTOR)
    assert programme.engagement.in_stage(Stage.DELIVERY)


def test_gate_g4_waits_for_the_baseline_of_every_measure_balancing_ones_too() -> None:
    programme = agreeing()
    define(programme, purpose=MeasureKind.BALANCING)
    propose(programme, measures=("M1", "M2"))
    agree(programme)
    programme.do(SignCompact(version=1), MEDICAL)
    assert not finish(programme)
    add_points(programme, BASELINE, measure="M2")
    assert programme.engagement.in_stage(Stage.DELIVERY)


def test_gate_g4_waits_for_an_owner_of_every_development_need() -> None:
    programme = nearly()
    programme.do(AddDevelopmentNeed(need="Reading a chart together"), FACILITATOR)
    assert not finish(programme)
    programme.do(OwnDevelopmentNeed(need="N1"), "d4")
    assert programme.engagement.in_stage(Stage.DELIVERY)


def test_a_development_need_that_both_sides_drop_holds_nothing_up() -> None:
    programme = nearly()
    programme.do(AddDevelopmentNeed(need="Reading a chart together"), FACILITATOR)
    finish(programme)
    programme.do(DropDevelopmentNeed(need="N1"), "d4")
    assert not programme.engagement.in_stage(Stage.DELIVERY)
    programme.do(DropDevelopmentNeed(need="N1"), "m4")
    assert programme.engagement.in_stage(Stage.DELIVERY)


def test_gate_g4_waits_while_the_programme_is_paused() -> None:
    programme = nearly()
    programme.do(AddDevelopmentNeed(need="Reading a chart together", suggested="d4"), FACILITATOR)
    finish(programme)
    programme.do(PauseEngagement(reason="Winter", resumes=programme.engagement.time.plus(programme.today, 5)), PM)
    with pytest.raises(Exception, match="paused"):
        programme.do(OwnDevelopmentNeed(need="N1"), "d4")
    programme.do(ResumeEngagement(), PM)
    programme.do(OwnDevelopmentNeed(need="N1"), "d4")
    assert programme.engagement.in_stage(Stage.DELIVERY)


def test_gate_g4_waits_while_a_sponsor_is_not_willing_and_agreement_goes_on() -> None:
    programme = nearly()
    mandate = programme.engagement.mandate
    kept = {sponsor: one for sponsor, one in mandate.statements.items() if sponsor != MANAGERIAL}
    unwilling = mandate.model_copy(update={"statements": kept})
    programme.engagement = programme.engagement.but(mandate=unwilling)
    propose(programme)
    agree(programme, "A2")
    assert status(programme, "A2") is ActionStatus.ACTIVE
    assert not finish(programme)


# --- the whole -----------------------------------------------------------------------------------------------------


def test_an_agreement_can_be_rebuilt_from_the_history_and_survives_storage() -> None:
    programme = nearly()
    propose(programme, screening=CLEAR.model_copy(update={"changes_clinical_staffing": Screened.NOT_SURE}))
    agree(programme, "A2")
    programme.wait(12)
    assert fold(Engagement(), programme.entries) == programme.engagement
    assert Engagement.model_validate_json(programme.engagement.model_dump_json()) == programme.engagement


def test_news_of_actions_holds_no_names_and_no_free_text() -> None:
    programme = nearly()
    propose(programme)
    programme.do(DeclineAction(action="A2", version=1, reason="Dr Smith said no"), DOCTOR)
    titles = [notice.title for notice in programme.events(NoticeRaised)]
    assert not [title for title in titles if "Smith" in title or "Consultants" in title]


def test_a_person_of_neither_side_can_be_no_co_owner() -> None:
    programme = agreeing()
    programme.do(EnrolPeople(people=(Enrolment(person="d99", side=Side.DOCTOR),)), PM)
    with pytest.raises(WrongSide):
        draft(programme, doctor_owner="d99")
