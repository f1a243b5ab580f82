"""One engagement as people see it: where it stands, what is missing, and what waits, in numbers."""

from collections.abc import Collection
from datetime import date

from pydantic import BaseModel, Field

from programme.engagement import Engagement
from programme.gates import TITLES, StageSpan
from programme.messages import PersonId, Side, Stage
from programme.missing import missing
from programme.progress import progress
from programme.stages import diagnosis
from programme.stages.action import Compact
from programme.stages.evidence import VOLUNTARY_LADDERS


class StageShown(BaseModel):
    """An open stage, and what is still missing before its gate opens."""

    stage: Stage
    title: str
    missing: tuple[str, ...]


class SideShown(BaseModel):
    """How many people of a side take part."""

    taking_part: int


class TurnoutShown(BaseModel):
    """How many of a side can answer, and how many had by the end of yesterday; null while that could tell who."""

    invited: int
    completed: int | None


class QuestionnaireShown(BaseModel):
    """A questionnaire that is open. Who has answered is known to nobody."""

    survey: str
    opened: date | None
    turnout: dict[Side, TurnoutShown]


class EngagementShown(BaseModel):
    """One engagement: where it stands, what is missing, and what waits, in numbers."""

    engagement_id: str
    sequence: int = Field(description="Its version, as in `ETag`.")
    ods_code: str
    scope: str
    local_problem: str
    dpia_reference: str
    privacy_notice: str
    k: int
    template: str
    template_version: str
    division: str
    registered: date | None
    progress: str = Field(description="In the programme's words.")
    stage: Stage
    cycle: int
    paused_until: date | None
    ended: str
    your_roles: tuple[str, ...]
    stages: tuple[StageSpan, ...]
    gates: tuple[StageShown, ...]
    sides: dict[Side, SideShown]
    questionnaire: QuestionnaireShown | None
    problem: str = Field(description="The shared problem statement, once the sides have agreed on one.")
    priorities: tuple[str, ...]
    compact: Compact | None
    open_tasks: int = Field(description="Of everybody; what is voluntary is not counted.")
    overdue_tasks: int


def shown(
    engagement: Engagement, roles: tuple[str, ...], answering: QuestionnaireShown | None, today: date
) -> EngagementShown:
    """An engagement, for somebody who holds these parts."""
    owed = [task for task in engagement.open_tasks if task.ladder not in VOLUNTARY_LADDERS]
    cycle, pause = engagement.cycle, engagement.continuity.pause
    facts = ("sequence", "ods_code", "scope", "local_problem", "dpia_reference", "privacy_notice", "k", "registered")
    return EngagementShown(
        engagement_id=engagement.id,
        **{name: getattr(engagement, name) for name in facts},
        template=engagement.template.name,
        template_version=engagement.template.version,
        division=engagement.calendar.division.value,
        progress=progress(engagement),
        stage=engagement.stage,
        cycle=cycle.number if cycle else 0,
        paused_until=pause.resumes if pause else None,
        ended=engagement.ended,
        your_roles=roles,
        stages=engagement.stages,
        gates=_gates(engagement),
        sides={side: SideShown(taking_part=len(engagement.participants(side))) for side in Side},
        questionnaire=answering,
        problem=cycle.sessions.problem if cycle else "",
        priorities=cycle.sessions.priorities if cycle else (),
        compact=cycle.agreement.compact if cycle and cycle.agreement.compact.version else None,
        open_tasks=len(owed),
        overdue_tasks=sum(1 for task in owed if task.due and task.due.on < today),
    )


def _gates(engagement: Engagement) -> tuple[StageShown, ...]:
    return tuple(
        StageShown(stage=stage, title=TITLES[stage], missing=lacks) for stage, lacks in missing(engagement).items()
    )


def questionnaire(engagement: Engagement, fresh: Collection[PersonId]) -> QuestionnaireShown | None:
    """The one that is open, and how many had answered by the end of yesterday. ``fresh``: who did so today.

    A number that moves at once would tell who has just answered.
    """
    found = diagnosis.current(engagement)
    if found is None or not found[1].open:
        return None
    name, survey = found
    earlier = survey.model_copy(update={"completed": tuple(one for one in survey.completed if one not in fresh)})
    counted = diagnosis.counts(engagement, earlier)
    turnout = {
        side: TurnoutShown(invited=counted[side]["invited"] or 0, completed=counted[side]["completed"]) for side in Side
    }
    return QuestionnaireShown(survey=name, opened=survey.opened, turnout=turnout)
