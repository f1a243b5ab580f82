"""A dry run says what the engagement would say, changes nothing, and tells nothing of what is voluntary."""

import pytest

from programme.continuity import OpenWindow, PauseEngagement, ResumeEngagement
from programme.foreseeing import DryRun, Prospect, foresee, refuse_unless_managing
from programme.messages import Command, PersonId, Stage
from programme.part import Asked
from programme.people import AcceptEnrolment
from programme.refusals import RoleRequired
from programme.telling import TITLE, TellParticipants
from tests.core.programme_driver import FACILITATOR, MEDICAL, PM, Programme, begun

PAUSED_DAYS = 4


def foreseen(programme: Programme, command: Command, person: PersonId = PM) -> DryRun:
    return foresee(programme.engagement, command, Asked(by=person, at=programme.at))


def pause(programme: Programme) -> PauseEngagement:
    resumes = programme.engagement.time.plus(programme.today, PAUSED_DAYS)
    return PauseEngagement(reason="Snow", resumes=resumes, window=OpenWindow.EXTEND)


def due_dates(programme: Programme) -> dict[str, object]:
    return {task.id: task.due.on for task in programme.engagement.open_tasks if task.due}


def test_a_dry_run_changes_nothing() -> None:
    programme = begun(Stage.DELIVERY)
    before = programme.engagement.model_dump_json()
    assert foreseen(programme, pause(programme)).prospect is Prospect.ACCEPTED
    assert programme.engagement.model_dump_json() == before


@pytest.mark.parametrize("stage", [Stage.MANDATE, Stage.EXCHANGE, Stage.DELIVERY])
def test_the_due_dates_that_a_pause_would_move_are_those_that_it_moves(stage: Stage) -> None:
    programme = begun(stage)
    said = foreseen(programme, pause(programme))
    before, titles = due_dates(programme), {task.id: task for task in programme.engagement.open_tasks}
    command = pause(programme)
    programme.do(command, PM)
    while programme.engagement.paused:
        programme.wait(1)
    after = due_dates(programme)
    voluntary = {"questionnaire", "enrolment", "willingness"}
    moved = {
        (titles[task].title, before[task], after[task])
        for task in before
        if after.get(task, before[task]) != before[task] and titles[task].ladder not in voluntary
    }
    assert {(one.title, one.was, one.now) for one in said.moved} == moved != set()
    assert said.told == 2, "both sponsors"


def test_who_has_not_answered_is_told_by_no_number() -> None:
    programme = begun(Stage.DIAGNOSIS)
    assert any(task.ladder == "questionnaire" and task.due for task in programme.engagement.open_tasks)
    assert not [one for one in foreseen(programme, pause(programme)).moved if "uestionnaire" in one.title]


def test_a_refusal_is_said_as_the_engagement_would_say_it() -> None:
    programme = begun(Stage.DELIVERY)
    said = foreseen(programme, ResumeEngagement())
    assert (said.prospect, said.code) == (Prospect.REFUSED, "NotPaused")
    assert foreseen(programme, pause(programme), MEDICAL).code == "RoleRequired"
    again = foreseen(programme, AcceptEnrolment(side=programme.engagement.people["d0"].side, privacy_notice="1"), "d0")  # type: ignore[arg-type]
    assert again.code == "AlreadyDone"


def test_who_would_be_told_is_counted_and_not_named() -> None:
    programme = begun(Stage.DELIVERY)
    said = foreseen(programme, TellParticipants(text="The library is closed"))
    assert said.news == (TITLE,)
    assert said.told > 20
    assert not [person for person in programme.engagement.people if f'"{person}"' in said.model_dump_json()]


def test_only_the_programme_manager_has_a_calendar_brought() -> None:
    engagement = begun(Stage.DELIVERY).engagement
    refuse_unless_managing(engagement, PM)
    for person in (MEDICAL, FACILITATOR, "d0", "stranger"):
        with pytest.raises(RoleRequired):
            refuse_unless_managing(engagement, person)
