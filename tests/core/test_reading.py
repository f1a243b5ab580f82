"""Who reads what: every rule of silence that candour rests on."""

import re
from collections.abc import Iterator
from dataclasses import asdict
from datetime import timedelta
from decimal import Decimal
from typing import Any, get_type_hints

import pytest

from programme import post, reading
from programme.continuity import PauseEngagement
from programme.disclosure import HIDDEN
from programme.engagement import commands
from programme.gates import StageEnded, StageStarted
from programme.messages import PersonId, Role, Side, Stage, Words
from programme.people import Appointment, DeclineEnrolment, Enrolment, EnrolPeople, Person
from programme.post import Item, MessageIssued, RungSuppressed
from programme.progress import progress
from programme.reading import (
    COMMENT,
    WORDS,
    Sight,
    View,
    agenda_for,
    may_read_pack,
    may_read_review,
    may_read_words,
    may_see,
    purpose_of,
    sight,
    tasks_for,
    visible,
)
from programme.stages.diagnosis import CompleteQuestionnaire, QuestionnaireClosed, WithdrawAnswers
from programme.stages.evidence import VOLUNTARY_LADDERS
from programme.stages.exchange import PairsConfirmed
from programme.stages.findings import NewFinding
from programme.stages.mandate import Answer, StateWillingness
from programme.stages.pair import Group
from programme.stages.renewal import NextStep, RenewalAsked, RenewalDecided, RenewalRevealed
from programme.stages.review import FindingKind, Panellist
from programme.stages.visits import InsightOffered, InsightTicked, MarkReflection
from tests.core.given import (
    ACTION,
    EXTERNAL,
    INTERNAL,
    dated,
    delivering,
    found,
    given,
    opened,
    review_of,
)
from tests.core.programme_driver import (
    APPROVER,
    FACILITATOR,
    MANAGERIAL,
    MEDICAL,
    PM,
    STEWARD,
    Programme,
    begun,
    registered,
)

AUDITOR, STRANGER = "auditor", "nobody"
EVERYBODY = (PM, MEDICAL, MANAGERIAL, FACILITATOR, APPROVER, STEWARD, AUDITOR, "d1", "m1", *INTERNAL, *EXTERNAL)


def with_auditor(programme: Programme) -> Programme:
    programme.do(EnrolPeople(people=(Enrolment(person=AUDITOR, roles=(Role.AUDITOR,)),)), PM)
    return programme


def history(programme: Programme, reader: PersonId) -> list[reading.Shown]:
    lines = (visible(programme.engagement, entry, reader) for entry in programme.entries)
    return [line for line in lines if line is not None]


def lines_of(programme: Programme, kind: str, reader: PersonId) -> list[reading.Shown]:
    return [line for line in history(programme, reader) if line.kind == kind]


# --- views ---------------------------------------------------------------------------------------------------------


def test_comments_are_read_by_the_facilitator_alone() -> None:
    programme = with_auditor(delivering())
    assert [one for one in EVERYBODY if may_see(programme.engagement, View.COMMENTS, one)] == [FACILITATOR]
    readers = [one for one in EVERYBODY if may_read_words(programme.engagement, COMMENT, "", "", one)]
    assert readers == [FACILITATOR]


def test_an_auditor_reads_the_history_and_figures_and_nothing_of_what_people_owe_or_said() -> None:
    programme = with_auditor(delivering())
    open_ = {view for view in View if may_see(programme.engagement, view, AUDITOR)}
    assert open_ == {View.PROGRESS, View.TASKS, View.MEASURES, View.PACK, View.HISTORY, View.FORECAST}


def test_somebody_who_takes_no_part_sees_nothing() -> None:
    programme = delivering()
    assert not [view for view in View if may_see(programme.engagement, view, STRANGER)]
    assert agenda_for(programme.engagement, STRANGER) == []
    assert not [purpose for purpose in WORDS if may_read_words(programme.engagement, purpose, STRANGER, "", STRANGER)]


def test_a_challenger_sees_what_is_frozen_for_the_own_review_and_nothing_before() -> None:
    programme = dated(opened(delivering(), "1-internal-1"), "1-internal-1")
    frozen = (View.ACTIONS, View.MEASURES, View.SESSIONS, View.PACK)
    assert not [view for view in frozen if may_see(programme.engagement, view, INTERNAL[0])]
    programme.wait(60)
    evidence = review_of(programme, "1-internal-1").evidence
    assert evidence
    assert {sight(programme.engagement, view, INTERNAL[0]) for view in frozen} == {Sight(until=evidence.sequence)}
    assert not may_see(programme.engagement, View.ACTIONS, EXTERNAL[0])
    assert not may_see(programme.engagement, View.HISTORY, INTERNAL[0])


def test_a_participant_sees_as_far_as_now() -> None:
    assert sight(delivering().engagement, View.ACTIONS, "d1") == Sight(until=None)


def test_nobody_reads_a_pack_before_its_release_and_then_both_sides_and_sponsors_do() -> None:
    before = begun(Stage.DIAGNOSIS)
    readers = (MEDICAL, MANAGERIAL, "d1", "m1", PM, FACILITATOR)
    assert not [one for one in readers if may_read_pack(before.engagement, "diagnosis", one)]
    after = begun(Stage.EXCHANGE)
    assert [one for one in readers if may_read_pack(after.engagement, "diagnosis", one)] == list(readers)


def test_a_review_is_read_by_its_panel_and_sponsors_then_by_those_who_answer_then_by_all() -> None:
    review, finding = "1-external-1", NewFinding(kind=FindingKind.RECOMMEND, text="Weekends", action=ACTION)
    programme = dated(opened(delivering(), review), review)

    def readers() -> set[PersonId]:
        found_ = review_of(programme, review)
        return {one for one in EVERYBODY if may_read_review(programme.engagement, found_, one)}

    seeing = {PM, MEDICAL, MANAGERIAL, *EXTERNAL}
    assert readers() == seeing
    programme = found(opened(delivering(), review), review, finding)
    assert readers() == seeing | {"d1", "m1"}
    assert "d7" not in readers()
    programme.wait(61)
    assert readers() >= seeing | {"d1", "m1", FACILITATOR, APPROVER, STEWARD}
    assert not {AUDITOR, *INTERNAL} & readers()


# --- tasks and what happens next -----------------------------------------------------------------------------------


def test_the_programme_manager_sees_what_waits_on_whom_and_never_who_has_not_answered() -> None:
    programme = begun(Stage.DIAGNOSIS)
    given(programme, RenewalAsked(round=1, on=programme.today))
    seen = tasks_for(programme.engagement, PM)
    assert {task.person for task in seen if task.person != PM} >= {MEDICAL, MANAGERIAL}
    assert not [task for task in seen if task.ladder in VOLUNTARY_LADDERS]
    assert {task.ladder for task in tasks_for(programme.engagement, "d1")} == {"questionnaire"}
    assert all(task.person == MEDICAL for task in tasks_for(programme.engagement, MEDICAL))


def test_a_reminder_that_is_to_come_is_shown_only_to_whom_it_goes() -> None:
    programme = begun(Stage.DIAGNOSIS)
    for reader in (PM, MEDICAL, FACILITATOR, "m1"):
        others = [due for due in agenda_for(programme.engagement, reader) if "questionnaire-" in due.key]
        assert all(due.people == (reader,) for due in others)
    assert any(due.key.startswith("act:diagnosis:close") for due in agenda_for(programme.engagement, "m1"))


# --- the history ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("reader", [PM, MANAGERIAL, AUDITOR])
def test_one_sponsors_willingness_is_unseen_until_both_are_in(reader: PersonId) -> None:
    programme = with_auditor(registered())
    programme.do(StateWillingness(answer=Answer.NOT_YET), MEDICAL)
    (line,) = lines_of(programme, "WillingnessStated", reader)
    assert "not_yet" not in str(asdict(line))
    assert line.hidden == ("answer",)
    (own,) = lines_of(programme, "WillingnessStated", MEDICAL)
    assert own.body["answer"] == "not_yet"
    programme.do(StateWillingness(answer=Answer.WILLING), MANAGERIAL)
    assert [one.body["answer"] for one in lines_of(programme, "WillingnessStated", reader)] == ["not_yet", "willing"]


def test_a_statement_that_lapsed_before_the_other_came_is_never_shown() -> None:
    programme = registered()
    programme.do(StateWillingness(answer=Answer.NOT_YET), MEDICAL)
    programme.wait(40)
    programme.do(StateWillingness(answer=Answer.WILLING), MANAGERIAL)  # too far apart: the first is asked again
    programme.do(StateWillingness(answer=Answer.WILLING), MEDICAL)
    assert programme.engagement.mandate.revealed
    shown = [one.body["answer"] for one in lines_of(programme, "WillingnessStated", MANAGERIAL)]
    assert shown == [HIDDEN, "willing", "willing"]


def test_one_sponsors_decision_about_what_comes_next_is_unseen_until_both_are_in() -> None:
    programme = delivering()
    decision = RenewalDecided(sponsor=MEDICAL, choice=NextStep.CLOSE, newest_template=True, on=programme.today)
    given(programme, RenewalAsked(round=1, on=programme.today), decision)
    (line,) = lines_of(programme, "RenewalDecided", MANAGERIAL)
    assert "close" not in str(line.body)
    assert line.body["newest_template"] is False
    assert lines_of(programme, "RenewalDecided", MEDICAL)[0].body["choice"] == "close"
    other = RenewalDecided(sponsor=MANAGERIAL, choice=NextStep.CLOSE, newest_template=True, on=programme.today)
    given(programme, other, RenewalRevealed(round=1))
    assert {one.body["choice"] for one in lines_of(programme, "RenewalDecided", PM)} == {"close"}


@pytest.mark.parametrize("reader", [PM, MEDICAL, FACILITATOR, AUDITOR])
def test_who_answered_the_questionnaire_is_shown_to_nobody(reader: PersonId) -> None:
    programme = with_auditor(begun(Stage.DIAGNOSIS))
    programme.do(CompleteQuestionnaire(), "d3")
    programme.do(WithdrawAnswers(), "d3")
    for kind in ("QuestionnaireCompleted", "AnswersWithdrawn"):
        (line,) = lines_of(programme, kind, reader)
        assert "'d3'" not in str(asdict(line))  # quoted: a digest may hold the two letters


def test_who_declined_to_take_part_is_shown_to_nobody() -> None:
    programme = registered()
    programme.do(DeclineEnrolment(), "m4")
    for reader in (PM, MEDICAL, FACILITATOR):
        for line in lines_of(programme, "EnrolmentDeclined", reader):
            assert "m4" not in str(asdict(line))


def test_the_history_says_the_same_of_who_answered_and_of_who_did_not() -> None:
    """Reminders go only to those who have not: a history that showed their addressees would be a list of them."""
    programme = begun(Stage.DIAGNOSIS)
    silent, answered = "d3", "d4"
    for side in Side:
        for person in programme.engagement.participants(side):
            if person != silent:
                programme.do(CompleteQuestionnaire(), person)
    begun_at = programme.engagement.sequence
    programme.wait(14)
    reminded = [one for one in programme.events(MessageIssued) if silent in one.people]
    assert any("questionnaire" in item.task for one in reminded for item in one.items)

    def told(person: PersonId) -> list[str]:
        lines = (f"{line.actor} {line.body}" for line in history(programme, PM) if line.sequence > begun_at)
        named = (re.sub(rf"\b{person}\b", "somebody", one) for one in lines if re.search(rf"\b{person}\b", one))
        return sorted(named)

    assert told(silent) == told(answered)


def test_a_message_keeps_its_other_lines_and_a_number_leads_to_no_hidden_one() -> None:
    programme = begun(Stage.EXCHANGE)
    task = "1/diagnosis/questionnaire-1/d3"
    mixed = (Item(title="Answer", task=task, rung="opened+5"), Item(title="News", notice=7))
    today = programme.today
    given(
        programme,
        MessageIssued(people=("d3",), items=mixed, on=today),
        MessageIssued(people=("d3",), items=mixed[:1], on=today),
        RungSuppressed(task=task, person="d3", rung="opened+10", why="enough this week"),
        post.MessageUndelivered(message=len(programme.entries) + 2, people=("d3",), on=today),
    )
    first, second = lines_of(programme, "MessageIssued", PM)[-2:]
    assert ([item["title"] for item in first.body["items"]], first.body["people"]) == (["News"], ["d3"])
    assert (second.body["items"], second.body["people"]) == ([], [])
    assert "d3" not in str(lines_of(programme, "RungSuppressed", PM)[-1].body)
    assert lines_of(programme, "MessageUndelivered", PM)[-1].body["message"] == HIDDEN


@pytest.mark.parametrize("reader", ["d1", "m1", APPROVER, STEWARD, INTERNAL[0], STRANGER])
def test_the_history_is_closed_to_those_who_neither_run_nor_audit(reader: PersonId) -> None:
    assert history(delivering(), reader) == []


def test_the_history_leads_to_no_candid_words() -> None:
    programme = registered()
    said = Words(deposit="deposit-77")
    programme.do(StateWillingness(answer=Answer.WILLING, can_give=said, need=said), MEDICAL)
    for reader in (PM, MEDICAL, MANAGERIAL):
        assert "deposit-77" not in str([asdict(line) for line in history(programme, reader)])


def test_a_line_of_the_history_keeps_its_place_and_digest() -> None:
    programme = delivering()
    for entry, line in zip(programme.entries, history(programme, PM), strict=True):
        assert (line.sequence, line.digest) == (entry.sequence, entry.digest)


# --- candid words --------------------------------------------------------------------------------------------------


def words_fields() -> Iterator[str]:
    """Every field of candid words that any command has."""
    for command in commands():
        for name, field in command.model_fields.items():
            if field.annotation is Words:
                yield f"{command.__name__}.{name}"


def test_every_kind_of_candid_words_has_readers_named() -> None:
    assert set(words_fields()) == set(WORDS) - {COMMENT}


def test_the_purpose_of_candid_words_names_command_field_and_what_they_are_about() -> None:
    command = MarkReflection(pair="1P2", author="d1", recognised=False)
    assert purpose_of(command, "correction") == ("MarkReflection.correction", "1P2")


def readers_of(programme: Programme, purpose: str, author: PersonId, about: str = "") -> set[PersonId]:
    return {one for one in EVERYBODY if may_read_words(programme.engagement, purpose, author, about, one)}


@pytest.mark.parametrize("purpose", ["AcceptAppointment.interests", "AcceptPanel.interests"])
def test_interests_are_declared_to_the_programme_manager_and_the_sponsors(purpose: str) -> None:
    assert readers_of(delivering(), purpose, INTERNAL[0]) == {INTERNAL[0], PM, MEDICAL, MANAGERIAL}


def test_what_a_sponsor_gives_and_needs_is_read_by_both_sponsors_once_both_are_in() -> None:
    programme = registered()
    programme.do(StateWillingness(answer=Answer.WILLING), MEDICAL)
    for purpose in ("StateWillingness.can_give", "StateWillingness.need"):
        assert readers_of(programme, purpose, MEDICAL) == {MEDICAL}
    programme.do(StateWillingness(answer=Answer.WILLING), MANAGERIAL)
    for purpose in ("StateWillingness.can_give", "StateWillingness.need"):
        assert readers_of(programme, purpose, MEDICAL) == {MEDICAL, MANAGERIAL}


def paired() -> Programme:
    """One pair: d1 with m1."""
    programme = begun(Stage.EXCHANGE)
    pair = Group(id="P", doctors=("d1",), managers=("m1",))
    return given(programme, PairsConfirmed(pairs=(pair,), on=programme.today))


@pytest.mark.parametrize("purpose", ["WriteReflection.words", "MarkReflection.correction", "OfferInsight.words"])
def test_what_is_written_in_a_pair_is_read_in_the_pair(purpose: str) -> None:
    programme = paired()
    assert readers_of(programme, purpose, "d1", "P") == {"d1", "m1"}
    assert readers_of(programme, purpose, "d1", "another") == {"d1"}
    assert readers_of(programme, purpose, "d2", "P") == set()  # whoever wrote it is no member of the pair


def test_an_insight_is_shared_once_everybody_in_the_pair_has_ticked() -> None:
    programme = paired()
    purpose = "OfferInsight.words"
    given(
        programme,
        InsightOffered(pair="P", author="d1", words=Words(deposit="x")),
        InsightTicked(pair="P", author="d1", person="d1", share=True),
    )
    assert readers_of(programme, purpose, "d1", "P") == {"d1", "m1"}
    given(programme, InsightTicked(pair="P", author="d1", person="m1", share=True))
    assert readers_of(programme, purpose, "d1", "P") == {"d1", "m1", FACILITATOR}
    assert may_read_words(programme.engagement, purpose, "d1", "P", "d9")


# --- progress words ------------------------------------------------------------------------------------------------


def test_progress_is_told_in_one_word_that_nobody_types() -> None:
    assert progress(registered().engagement) == "Waiting for willingness"
    assert progress(begun(Stage.EXCHANGE).engagement) == "Exchanging perspectives"
    programme = begun(Stage.DIAGNOSIS)
    assert progress(programme.engagement) == "Diagnosis open"
    given(programme, QuestionnaireClosed(survey="diagnosis", short=True, on=programme.today))
    assert progress(programme.engagement) == "Diagnosis closed, not enough answers"


@pytest.mark.parametrize(
    ("stage", "words"),
    [
        (Stage.SESSIONS, "In joint sessions"),
        (Stage.AGREEMENT, "Agreeing actions"),
        (Stage.RENEWAL, "Renewing"),
    ],
)
def test_each_stage_has_its_word(stage: Stage, words: str) -> None:
    programme = begun(Stage.EXCHANGE)
    today = programme.today
    given(programme, StageEnded(stage=Stage.EXCHANGE, cycle=1, on=today), StageStarted(stage=stage, cycle=1, on=today))
    assert progress(programme.engagement) == words


def test_delivery_is_in_challenge_from_frozen_evidence_to_the_last_answer() -> None:
    review = "1-internal-1"
    programme = dated(opened(delivering(), review), review)
    assert progress(programme.engagement) == "Delivering"
    programme.wait(60)
    assert progress(programme.engagement) == "In challenge"
    assert progress(found(opened(delivering(), review), review).engagement) == "Delivering"


def test_a_pause_is_said_before_anything_else() -> None:
    programme = delivering()
    programme.do(PauseEngagement(reason="Winter", resumes=programme.today + timedelta(days=7)), PM)
    assert progress(programme.engagement) == "Paused"


# --- nothing ranks -------------------------------------------------------------------------------------------------


def figures_of(value: Any, people: frozenset[str]) -> Iterator[str]:
    """Every place in which a figure stands under a person's id."""
    if isinstance(value, dict):
        for key, inner in value.items():
            if key in people and isinstance(inner, int | float | Decimal) and not isinstance(inner, bool):
                yield key
            yield from figures_of(inner, people)
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from figures_of(inner, people)


def test_no_figure_is_kept_about_a_person() -> None:
    programme = delivering()
    programme.wait(200)
    people = frozenset(programme.engagement.people)
    assert list(figures_of(programme.engagement.model_dump(), people)) == []
    for model in (Person, Appointment, Panellist):
        kinds = set(get_type_hints(model).values())
        assert not kinds & {int, float, Decimal}


def test_lists_stand_in_the_order_of_time_and_of_ids() -> None:
    programme = delivering()
    programme.wait(100)
    dues = agenda_for(programme.engagement, PM)
    assert dues == sorted(dues, key=lambda due: (due.at, due.key))
    backwards = programme.engagement.but(people=dict(reversed(programme.engagement.people.items())))
    ids = {task.id for task in tasks_for(programme.engagement, PM)}
    assert {task.id for task in tasks_for(backwards, PM)} == ids


def test_no_command_and_no_view_compares_people_or_trusts() -> None:
    words = ("rank", "score", "league", "best", "worst", "rating")
    names = [view.value for view in View]
    for command in commands():
        names += [command.__name__, *command.model_fields]
    assert not [name for name in names if any(word in name.lower() for word in words)]
