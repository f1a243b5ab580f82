"""Stage 1, Diagnosis: a questionnaire window, a pack that protects who said what, themes, one release for everybody.

The same rules run the re-diagnosis of stage 7: a ``Survey`` is one of the two. Answers never come here: the core knows
who has completed (a voluntary act that nobody chases) and, after the close, the digest of the pack.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Literal

from pydantic import Field

from programme.gates import common_lacks, passed
from programme.messages import (
    Command,
    Due,
    DueDate,
    Errand,
    Event,
    Frozen,
    Paragraph,
    PersonId,
    Role,
    Sealed,
    Side,
    Stage,
    Task,
)
from programme.part import Asked, Part
from programme.post import NoticeRaised
from programme.refusals import AlreadyDone, Invalid, NotYet, TooFewSources, WindowClosed
from programme.working_time import end_of

if TYPE_CHECKING:
    from programme.engagement import Engagement

DIAGNOSIS, REDIAGNOSIS = "diagnosis", "rediagnosis"
THEME_SOURCES = 3  # programme.md, Disclosure 8


class Choice(StrEnum):
    """What the facilitator may choose when too few answered twice."""

    COMBINED = "combined"
    REOPEN = "reopen"
    STOP = "stop"


class Theme(Frozen):
    """What several people wrote, in the facilitator's words."""

    text: Paragraph
    sources: int
    condition: str = ""


class Survey(Frozen):
    """One run of the questionnaire. ``window`` counts openings; ``pack`` is the digest of the published pack."""

    opened: date | None = None
    window: int = 1
    extended: bool = False
    closed: date | None = None
    short: bool = False  # too few answered, and the facilitator must choose
    combined: bool = False
    completed: tuple[PersonId, ...] = ()
    pack: str = ""
    pack_on: date | None = None
    themes: tuple[Theme, ...] = ()
    themed: bool = False
    released: date | None = None
    stopped: date | None = None
    carried: bool = False  # made as the re-diagnosis of the cycle before, and kept under that name

    @property
    def open(self) -> bool:
        """Whether answers are taken."""
        return self.opened is not None and self.closed is None


class Diagnosis(Frozen):
    """The surveys of a cycle: its diagnosis, and its re-diagnosis."""

    surveys: dict[str, Survey] = Field(default_factory=dict)

    def survey(self, name: str) -> Survey:
        """One of the two; an unopened one where it has not begun."""
        return self.surveys.get(name, Survey())


# --- commands ------------------------------------------------------------------------------------------------------


class CompleteQuestionnaire(Command):
    """Send one's answers: 44 ratings and two optional comments. They can be changed until the window closes."""

    who = frozenset({Role.DOCTOR, Role.MANAGER})
    refusals = (WindowClosed,)

    kind: Literal["CompleteQuestionnaire"] = "CompleteQuestionnaire"
    answers: Sealed = Sealed()


class WithdrawAnswers(Command):
    """Delete one's answers while the window is open."""

    who = frozenset({Role.DOCTOR, Role.MANAGER})
    refusals = (WindowClosed, NotYet)

    kind: Literal["WithdrawAnswers"] = "WithdrawAnswers"


class ExtendWindow(Command):
    """Extend an open window once, with a reason."""

    who = frozenset({Role.PROGRAMME_MANAGER})
    refusals = (WindowClosed, AlreadyDone)

    kind: Literal["ExtendWindow"] = "ExtendWindow"


class ChooseAfterShortfall(Command):
    """Decide what happens when too few answered twice. k is never lowered."""

    who = frozenset({Role.FACILITATOR})
    refusals = (NotYet, AlreadyDone, Invalid)

    kind: Literal["ChooseAfterShortfall"] = "ChooseAfterShortfall"
    choice: Choice


class RecordPack(Command):
    """The pack is computed and the links are destroyed. Reported by the system."""

    kind: Literal["RecordPack"] = "RecordPack"
    survey: str
    window: int
    pack: str


class WriteThemes(Command):
    """The facilitator's themes from the comments, each from at least three people; they complete the pack."""

    who = frozenset({Role.FACILITATOR})
    refusals = (NotYet, TooFewSources)

    kind: Literal["WriteThemes"] = "WriteThemes"
    themes: tuple[Theme, ...] = ()


Commands = CompleteQuestionnaire | WithdrawAnswers | ExtendWindow | ChooseAfterShortfall | RecordPack | WriteThemes


# --- events --------------------------------------------------------------------------------------------------------


class WindowOpened(Event):
    """The questionnaire can be answered."""

    kind: Literal["WindowOpened"] = "WindowOpened"
    survey: str
    window: int = 1
    on: date


class QuestionnaireCompleted(Event):
    """A participant sent answers. The day is kept, not the time."""

    by_day = True

    kind: Literal["QuestionnaireCompleted"] = "QuestionnaireCompleted"
    survey: str
    person: PersonId


class AnswersWithdrawn(Event):
    """A participant deleted the answers again."""

    by_day = True

    kind: Literal["AnswersWithdrawn"] = "AnswersWithdrawn"
    survey: str
    person: PersonId


class WindowExtended(Event):
    """The window stays open longer, once."""

    kind: Literal["WindowExtended"] = "WindowExtended"
    survey: str


class QuestionnaireClosed(Event):
    """No more answers. ``short``: too few of a side, and the facilitator must choose."""

    kind: Literal["QuestionnaireClosed"] = "QuestionnaireClosed"
    survey: str
    short: bool
    on: date


class ShortfallDecided(Event):
    """What happens after too few answered."""

    kind: Literal["ShortfallDecided"] = "ShortfallDecided"
    survey: str
    choice: Choice
    on: date


class PackComputed(Event):
    """The pack exists; no stored link ties an answer to a person any more."""

    kind: Literal["PackComputed"] = "PackComputed"
    survey: str
    pack: str
    on: date


class ThemesWritten(Event):
    """The themes are in the pack."""

    kind: Literal["ThemesWritten"] = "ThemesWritten"
    survey: str
    themes: tuple[Theme, ...]


class PackReleased(Event):
    """Both sponsors and both sides see the pack from this moment on."""

    kind: Literal["PackReleased"] = "PackReleased"
    survey: str
    on: date


class DiagnosisStopped(Event):
    """Too few answered, and the survey stops. Without a diagnosis nothing goes on; a year can end without a second."""

    kind: Literal["DiagnosisStopped"] = "DiagnosisStopped"
    survey: str = DIAGNOSIS
    on: date


Events = (
    WindowOpened
    | QuestionnaireCompleted
    | AnswersWithdrawn
    | WindowExtended
    | QuestionnaireClosed
    | ShortfallDecided
    | PackComputed
    | ThemesWritten
    | PackReleased
    | DiagnosisStopped
)


# --- what the window says ------------------------------------------------------------------------------------------


def surveys(engagement: Engagement) -> Iterator[tuple[str, Survey]]:
    """The surveys of the running cycle that have begun."""
    if engagement.cycle:
        yield from engagement.cycle.diagnosis.surveys.items()


def current(engagement: Engagement) -> tuple[str, Survey] | None:
    """The survey in which something can still happen: the one neither released nor stopped."""
    running = ((name, one) for name, one in surveys(engagement) if one.released is None and one.stopped is None)
    return next(running, None)


def enough(engagement: Engagement, survey: Survey) -> bool:
    """Gate G1: at least k of each side, and at least half of those who accepted. k is never lowered."""
    percent = engagement.template.thresholds.completed_percent
    for side in Side:
        accepted = engagement.participants(side)
        completed = sum(1 for person in survey.completed if person in accepted)
        if completed < engagement.k or 100 * completed < percent * len(accepted):
            return False
    return True


def window_days(engagement: Engagement, survey: Survey) -> int:
    """How many working days the window is open."""
    durations = engagement.template.durations
    return durations.questionnaire + (durations.questionnaire_extension if survey.extended else 0)


def counts(engagement: Engagement, survey: Survey) -> dict[str, dict[str, int | None]]:
    """Invited and completed for each side; completed is hidden (None) until it reaches k."""
    told: dict[str, dict[str, int | None]] = {}
    for side in Side:
        accepted = engagement.participants(side)
        completed = sum(1 for person in survey.completed if person in accepted)
        told[side.value] = {"invited": len(accepted), "completed": completed if completed >= engagement.k else None}
    return told


# --- decide --------------------------------------------------------------------------------------------------------


def _open_survey(engagement: Engagement) -> tuple[str, Survey]:
    found = current(engagement)
    if found is None or not found[1].open:
        raise WindowClosed
    return found


def complete_questionnaire(engagement: Engagement, command: CompleteQuestionnaire, asked: Asked) -> list[Event]:
    """Note that somebody answered. Answering again replaces the answers and is not news."""
    del command
    name, survey = _open_survey(engagement)
    return [] if asked.by in survey.completed else [QuestionnaireCompleted(survey=name, person=asked.by)]


def withdraw_answers(engagement: Engagement, command: WithdrawAnswers, asked: Asked) -> list[Event]:
    """Note that somebody deleted the answers."""
    del command
    name, survey = _open_survey(engagement)
    if asked.by not in survey.completed:
        what = "you have sent no answers"
        raise NotYet(what)
    return [AnswersWithdrawn(survey=name, person=asked.by)]


def extend_window(engagement: Engagement, command: ExtendWindow, asked: Asked) -> list[Event]:
    """Extend the window before it closes by itself."""
    del command, asked
    name, survey = _open_survey(engagement)
    if survey.extended:
        raise AlreadyDone("a window is extended once")
    return [WindowExtended(survey=name)]


def choose_after_shortfall(engagement: Engagement, command: ChooseAfterShortfall, asked: Asked) -> list[Event]:
    """Combined pack, reopen, or stop."""
    found = current(engagement)
    if found is None or not found[1].short:
        what = "nothing is to be chosen until too few have answered an extended window"
        raise NotYet(what)
    name, survey = found
    decided = ShortfallDecided(survey=name, choice=command.choice, on=asked.today)
    match command.choice:
        case Choice.COMBINED:
            if len(survey.completed) < 2 * engagement.k:
                raise Invalid(f"A combined pack needs at least {2 * engagement.k} answers in all. Reopen, or stop.")
            return [decided]
        case Choice.REOPEN:
            if survey.window > 1:
                raise AlreadyDone("the questionnaire was reopened once")
            return [decided, WindowOpened(survey=name, window=survey.window + 1, on=asked.today)]
        case Choice.STOP:
            return [decided, DiagnosisStopped(survey=name, on=asked.today)]


def record_pack(engagement: Engagement, command: RecordPack, asked: Asked) -> list[Event]:
    """Take note of the pack. Said twice, it is heard once."""
    if engagement.cycle is None:
        return []
    survey = engagement.running.diagnosis.survey(command.survey)
    if survey.closed is None or survey.window != command.window or survey.pack:
        return []
    facilitator = engagement.holders(Role.FACILITATOR)
    return [
        PackComputed(survey=command.survey, pack=command.pack, on=asked.today),
        NoticeRaised(
            people=facilitator,
            title="The questionnaire has closed. The comments wait for your themes",
            about=command.survey,
        ),
    ]


def write_themes(engagement: Engagement, command: WriteThemes, asked: Asked) -> list[Event]:
    """Complete the pack with themes, and release it."""
    found = current(engagement)
    if found is None or not found[1].pack:
        what = "themes are written once the questionnaire has closed and the pack is computed"
        raise NotYet(what)
    if any(theme.sources < THEME_SOURCES for theme in command.themes):
        raise TooFewSources
    return [ThemesWritten(survey=found[0], themes=command.themes), *_release(engagement, found[0], asked)]


def _release(engagement: Engagement, name: str, asked: Asked) -> list[Event]:
    """Everybody sees the pack at the same moment: both sponsors and both sides are told by one event."""
    everybody = engagement.sponsors + engagement.participants(Side.DOCTOR) + engagement.participants(Side.MANAGER)
    people = tuple(dict.fromkeys(everybody))
    return [
        PackReleased(survey=name, on=asked.today),
        NoticeRaised(people=people, title="The diagnosis is ready to read", about=name),
    ]


def follows(engagement: Engagement, asked: Asked) -> list[Event]:
    """Open the window when the stage opens; pass gate G1 when the pack is out."""
    if not engagement.in_stage(Stage.DIAGNOSIS):
        return []
    survey = engagement.running.diagnosis.survey(DIAGNOSIS)
    if survey.opened is None:
        return [WindowOpened(survey=DIAGNOSIS, on=asked.today)]
    if survey.released and not lacks(engagement):
        return passed(engagement, "G1", Stage.DIAGNOSIS, (Stage.EXCHANGE,), asked.today)
    return []


def lacks(engagement: Engagement) -> list[str]:
    """Gate G1: what is still missing."""
    missing = common_lacks(engagement)
    if engagement.running.diagnosis.survey(DIAGNOSIS).released is None:
        missing.append("the diagnosis pack must be released to both sides")
    return missing


# --- evolve --------------------------------------------------------------------------------------------------------


def _window_opened(engagement: Engagement, event: WindowOpened, at: datetime) -> Engagement:
    del at
    changes = {"opened": event.on, "window": event.window, "extended": False, "closed": None, "short": False}
    return _with(engagement, event.survey, **changes)


def _completed(engagement: Engagement, event: QuestionnaireCompleted, at: datetime) -> Engagement:
    del at
    completed = engagement.running.diagnosis.survey(event.survey).completed
    return _with(engagement, event.survey, completed=tuple(sorted((*completed, event.person))))


def _withdrawn(engagement: Engagement, event: AnswersWithdrawn, at: datetime) -> Engagement:
    del at
    completed = engagement.running.diagnosis.survey(event.survey).completed
    return _with(engagement, event.survey, completed=tuple(person for person in completed if person != event.person))


def _extended(engagement: Engagement, event: WindowExtended, at: datetime) -> Engagement:
    del at
    return _with(engagement, event.survey, extended=True)


def _closed(engagement: Engagement, event: QuestionnaireClosed, at: datetime) -> Engagement:
    del at
    return _with(engagement, event.survey, closed=event.on, short=event.short)


def _shortfall_decided(engagement: Engagement, event: ShortfallDecided, at: datetime) -> Engagement:
    del at
    return _with(engagement, event.survey, short=False, combined=event.choice is Choice.COMBINED)


def _pack_computed(engagement: Engagement, event: PackComputed, at: datetime) -> Engagement:
    del at
    return _with(engagement, event.survey, pack=event.pack, pack_on=event.on)


def _themes_written(engagement: Engagement, event: ThemesWritten, at: datetime) -> Engagement:
    del at
    return _with(engagement, event.survey, themes=event.themes, themed=True)


def _released(engagement: Engagement, event: PackReleased, at: datetime) -> Engagement:
    del at
    return _with(engagement, event.survey, released=event.on)


def _stopped(engagement: Engagement, event: DiagnosisStopped, at: datetime) -> Engagement:
    del at
    if event.survey == DIAGNOSIS:
        return engagement.but(ended="not_ready")
    return _with(engagement, event.survey, stopped=event.on)


def _with(engagement: Engagement, name: str, **changes: object) -> Engagement:
    diagnosis = engagement.running.diagnosis
    survey = diagnosis.survey(name).model_copy(update=changes)
    return engagement.in_cycle(diagnosis=diagnosis.model_copy(update={"surveys": {**diagnosis.surveys, name: survey}}))


# --- agenda, tasks, errands ----------------------------------------------------------------------------------------


def agenda(engagement: Engagement) -> Iterator[Due]:
    """The close of the window; the release without themes if they never come."""
    time, durations = engagement.time, engagement.template.durations
    for name, survey in surveys(engagement):
        if due := _closing(engagement, survey):
            what, key = "The questionnaire closes", f"act:diagnosis:close/{name}"
            yield Due(at=end_of(due.on), key=key, what=what, why=due.why, promised=True)
        if survey.pack_on and survey.released is None:
            due = time.due(survey.pack_on, 2 * durations.themes, "the pack was computed")
            what = "The pack is released without themes"
            key, closes = f"act:diagnosis:release/{name}", ("duty", name)
            yield Due(at=end_of(due.on), key=key, what=what, why=due.why, promised=True, closes=closes)


def act(engagement: Engagement, what: str, asked: Asked) -> list[Event]:
    """Close or extend the window; release the pack."""
    deed, _, name = what.partition("/")
    survey = engagement.running.diagnosis.survey(name)
    if deed == "release":
        return _release(engagement, name, asked)
    if enough(engagement, survey):
        return [QuestionnaireClosed(survey=name, short=False, on=asked.today)]
    if not survey.extended:
        return [WindowExtended(survey=name)]
    return [QuestionnaireClosed(survey=name, short=True, on=asked.today)]


def closed_now(engagement: Engagement, name: str, today: date) -> QuestionnaireClosed:
    """The early end of a window; where too few have answered, the facilitator chooses what happens."""
    survey = engagement.running.diagnosis.survey(name)
    return QuestionnaireClosed(survey=name, short=not enough(engagement, survey), on=today)


def closes(engagement: Engagement, name: str) -> date | None:
    """The last day of a window; None where none is open."""
    due = _closing(engagement, engagement.running.diagnosis.survey(name))
    return due.on if due else None


def _closing(engagement: Engagement, survey: Survey) -> DueDate | None:
    if not survey.open or survey.opened is None:
        return None
    return engagement.time.due(survey.opened, window_days(engagement, survey), "the questionnaire opened")


def tasks(engagement: Engagement) -> Iterator[Task]:
    """The questionnaire for each participant; the facilitator's choice and themes."""
    for name, survey in surveys(engagement):
        stage = Stage.DIAGNOSIS if name == DIAGNOSIS else Stage.RENEWAL
        prefix = f"{engagement.running.number}/{stage.value}"
        yield from _questionnaires(engagement, name, survey, prefix)
        for facilitator in engagement.holders(Role.FACILITATOR):
            yield from _facilitation(engagement, name, survey, f"{prefix}/%s/{facilitator}")


def _questionnaires(engagement: Engagement, name: str, survey: Survey, prefix: str) -> Iterator[Task]:
    due = _closing(engagement, survey)
    if due is None or survey.opened is None:
        return
    for person in engagement.participants(Side.DOCTOR) + engagement.participants(Side.MANAGER):
        if person not in survey.completed:
            yield Task(
                id=f"{prefix}/questionnaire-{survey.window}/{person}",
                ladder="questionnaire",
                person=person,
                about=name,
                command="CompleteQuestionnaire",
                title="Answer the questionnaire (12 minutes, voluntary)",
                opened=survey.opened,
                due=due,
            )


def _facilitation(engagement: Engagement, name: str, survey: Survey, task_id: str) -> Iterator[Task]:
    time, durations = engagement.time, engagement.template.durations
    facilitator = task_id.rpartition("/")[2]
    if survey.short and survey.closed:
        yield Task(
            id=task_id % f"shortfall-{survey.window}",
            ladder="duty",
            person=facilitator,
            about=name,
            command="ChooseAfterShortfall",
            title="Choose what happens: too few answered",
            opened=survey.closed,
            due=time.due(survey.closed, durations.insufficient_choice, "the questionnaire closed"),
        )
    if survey.pack_on and not survey.themed and survey.released is None:
        yield Task(
            id=task_id % "themes",
            ladder="duty",
            person=facilitator,
            about=name,
            command="WriteThemes",
            title="Write the themes of the comments",
            opened=survey.pack_on,
            due=time.due(survey.pack_on, durations.themes, "the pack was computed"),
        )


def errands(engagement: Engagement) -> Iterator[Errand]:
    """A closed questionnaire waits for its pack."""
    for name, survey in surveys(engagement):
        if survey.closed and not survey.short and not survey.pack and not survey.stopped:
            shape = "combined" if survey.combined else "full"
            yield Errand(kind="diagnosis.close", key=f"{engagement.running.number}/{name}/{survey.window}/{shape}")


PART = Part(
    name="diagnosis",
    decide={
        CompleteQuestionnaire: complete_questionnaire,
        WithdrawAnswers: withdraw_answers,
        ExtendWindow: extend_window,
        ChooseAfterShortfall: choose_after_shortfall,
        RecordPack: record_pack,
        WriteThemes: write_themes,
    },
    evolve={
        WindowOpened: _window_opened,
        QuestionnaireCompleted: _completed,
        AnswersWithdrawn: _withdrawn,
        WindowExtended: _extended,
        QuestionnaireClosed: _closed,
        ShortfallDecided: _shortfall_decided,
        PackComputed: _pack_computed,
        ThemesWritten: _themes_written,
        PackReleased: _released,
        DiagnosisStopped: _stopped,
    },
    agenda=agenda,
    act=act,
    tasks=tasks,
    follows=follows,
    errands=errands,
)
