"""A programme template: every duration, threshold, quorum and ladder of a cycle, as versioned data.

A cycle keeps the template it began with; the values travel in the event that starts it. Durations are working days
unless the name says months. The shipped templates are ``programme/templates/*.yaml``; the defaults here are those of
the twelve-month one, so that a history written before a field existed still loads.
"""

from functools import lru_cache
from typing import Any

import yaml
from pydantic import Field

from programme.ladders import Ladder
from programme.messages import Frozen

THRESHOLD_FLOOR, THRESHOLD_CEILING = 8, 30  # hard limits of k; programme.md, Disclosure 1


def added(default: int) -> Any:
    """A setting that came after the first histories: not written while it has its default, which never changes.

    So what an earlier build recorded without it is chained to the same digest when it is replayed.
    """
    return Field(default=default, exclude_if=lambda value: value == default)


class Durations(Frozen):
    """How long things take, in working days."""

    willingness: int = 15
    willingness_apart: int = 30  # how far apart the two statements may lie
    willingness_again_months: int = 3
    enrolment: int = 10
    appointment: int = 10
    baseline: int = 20
    questionnaire: int = 15
    questionnaire_extension: int = 10
    insufficient_choice: int = 5
    themes: int = 5
    pair_confirmation: int = 5
    pair_stalled: int = 3  # after what a pair owed was due, the facilitator is asked to re-pair or excuse it
    pair_settling: int = 5
    pair_visits: int = 20
    reflection: int = 25
    recognition: int = 30
    correction: int = 5  # to mark a late text, or to write again what was corrected
    session_invitation: int = 20  # how long before a session it is announced
    session_scheduling: int = 5
    session_gap: int = 10  # at least between two sessions
    session_gap_most: int = 15
    session_again: int = 15  # at most after an inquorate one
    session_quorum_check: int = 5  # before the session
    session_attendance: int = 1
    session_settling: int = 5  # of notes that a side has not confirmed
    notes: int = 2
    notes_confirmation: int = 5
    agreement: int = 10
    approval: int = 5
    approval_to_sponsor: int = 10
    compact: int = 10
    need_owner: int = 10
    objection_acknowledge: int = 1
    objection_decide: int = 5
    check_in_opens: int = 5  # before the first working day of the month, on which it is due
    measure_point: int = 10  # after month end
    measure_point_late: int = 8  # after that, the chart says that its data are late
    signal_explanation: int = 10
    touchpoint_months: int = 2
    verification: int = 10
    sustained_points: int = 3
    material_change_of_dates: int = 20  # a move by more than this makes a new version
    drift: int = 60  # without a joint touchpoint
    panel_internal: int = 40  # before the review
    panel_external: int = 60
    panel_to_sponsors: int = 30
    panel_acceptance: int = 5
    review_date: int = 5  # after its panel is complete
    position_statement: int = 15  # before the review
    evidence_frozen: int = 10  # before the review
    findings: int = 10
    findings_answer: int = 20
    findings_unanswered: int = 15  # after which the next external review is told
    check_in_unanswered: int = 20  # after which the next review is told
    external_report_open: int = 60
    progress_check: int = 20
    renewal_session: int = 20  # for the last joint session, after the re-diagnosis is released
    renewal_decision: int = 10
    renewal_meeting: int = 15
    pause: int = 30
    extension: int = added(10)  # more for one duty, in all
    handover: int = added(10)  # to take over a part; as long, at most, do the clocks of what was left open stand still
    ownership: int = added(10)  # for a new co-owner to accept an action
    undelivered_hours: int = 72


class Thresholds(Frozen):
    """Who must be there, and how many."""

    k: int = 11  # smallest group whose figures are shown; the engagement may set its own at set-up
    invited_above_k_percent: int = 25
    completed_percent: int = 50
    recognised_percent: int = 70
    recognised_pairs: int = 3
    pairs_each: int = 2
    recognition_rounds: int = 2
    quorum_each_side: int = 3
    quorum_percent: int = 40
    priority_conditions: tuple[int, int] = (3, 4)
    actions: tuple[int, int] = (1, 8)
    panel_challengers: int = 2
    willing_rounds: int = 2
    declined_questionnaire_extensions: int = 1
    messages_a_week: int = 3
    baseline_points: int = 12


class SessionPlan(Frozen):
    """One joint session of the programme: its letter, what it is called, and what is talked about."""

    letter: str
    title: str
    agenda: tuple[str, ...] = ()
    hours: int = 3


class ReviewPlan(Frozen):
    """A challenge review: ``kind`` internal or external, and the month of the cycle in which it meets.

    ``late_month``: where it moves if nothing is agreed when its panel must be appointed (0: it stays).
    ``check_month``: the month of the next cycle in which somebody asks what became of its recommendations (0: nobody).
    """

    kind: str
    month: int
    late_month: int = 0
    check_month: int = 0


_NO_LADDER = Ladder()


class ProgrammeTemplate(Frozen):
    """Everything about a cycle that a trust may set, fixed at its start."""

    name: str = "twelve-months"
    version: str = "1"
    title: str = "Twelve months"
    durations: Durations = Durations()
    thresholds: Thresholds = Thresholds()
    ladders: dict[str, Ladder] = Field(default_factory=dict)
    sessions: tuple[SessionPlan, ...] = ()
    reviews: tuple[ReviewPlan, ...] = ()
    rediagnosis_month: int = 11  # the month of the cycle in which stage 7 opens
    questionnaire: str = "questionnaire"
    questionnaire_version: int = 1

    def ladder(self, name: str) -> Ladder:
        """The ladder of a kind of task; an empty one where the template has none."""
        return self.ladders.get(name, _NO_LADDER)


def one_template(template: ProgrammeTemplate) -> ProgrammeTemplate:
    """The one copy of a template in this process: a hundred rungs for each of a thousand engagements would add up."""
    return _shared(template.model_dump_json())


@lru_cache(maxsize=64)
def _shared(text: str) -> ProgrammeTemplate:
    return ProgrammeTemplate.model_validate_json(text)


def parse(text: str) -> ProgrammeTemplate:
    """Read a template from its YAML text.

    Raises:
        pydantic.ValidationError: a value is not what the template allows.
        yaml.YAMLError: the text is not YAML.
    """
    return ProgrammeTemplate.model_validate(yaml.safe_load(text))
