"""Invariants 10 to 15 and 26, judged: what protects candour, as far as the core reaches."""

from collections.abc import Iterator
from datetime import time

from programme.messages import (
    CHALLENGERS,
    PARTICIPANTS,
    SPONSORS,
    Role,
    Side,
)
from programme.post import MessageIssued, NoticeRaised
from programme.reading import View, may_see
from programme.stages.diagnosis import PackReleased, QuestionnaireCompleted, counts
from programme.working_time import at_local, local_date
from tests.core.judging import Step, actions, reviews, surveys

CANDID = "quokka"  # every free text of a test carries this word; nothing that travels may


def small_groups_stay_hidden_and_k_is_fixed(step: Step) -> Iterator[str]:
    """10. The core's share: k is 8 or more and never changes, and how many answered is told from k on only."""
    if step.before.registered and step.after.k != step.before.k:
        yield f"k changed from {step.before.k} to {step.after.k}"
    if step.after.registered and not 8 <= step.after.k <= 30:
        yield f"k is {step.after.k}"
    for survey in surveys(step.after):
        told = (side["completed"] for side in counts(step.after, survey).values())
        if any(completed is not None and completed < step.after.k for completed in told):
            yield "a count of fewer than k is told"


def comments_are_the_facilitators_alone(step: Step) -> Iterator[str]:
    """11. The core's share: raw comments are open to the facilitator and to nobody else."""
    for person in step.after.people:
        if may_see(step.after, View.COMMENTS, person) and person not in step.after.holders(Role.FACILITATOR):
            yield f"{person} may read comments"


def no_result_before_the_window_closes_and_then_for_everybody(step: Step) -> Iterator[str]:
    """12. No result exists before the window closes; both sides and sponsors get the pack at the same moment."""
    for survey in surveys(step.after):
        if survey.pack and survey.closed is None:
            yield "there is a pack although the window is open"
        if survey.released and not survey.pack:
            yield "a pack is released that was never computed"
    for moment in step.moments:
        if isinstance(moment.event, PackReleased):
            told = [set(one.event.people) for one in step.moments if isinstance(one.event, NoticeRaised)]
            everybody = set(moment.after.sponsors).union(*(moment.after.participants(side) for side in Side))
            if not any(everybody <= people for people in told):
                yield "a pack is released and not told to both sides and both sponsors by one event"


def nothing_ties_a_person_to_answers(step: Step) -> Iterator[str]:
    """13. The core's share: who completed is kept without an hour and without an order."""
    for entry in step.entries:
        if isinstance(entry.event, QuestionnaireCompleted) and entry.at != at_local(local_date(entry.at), time(0)):
            yield "a completed questionnaire is recorded with its hour"
    for survey in surveys(step.after):
        if list(survey.completed) != sorted(set(survey.completed)):
            yield "those who completed stand in the order in which they did"


def not_answering_is_nobodys_business(step: Step) -> Iterator[str]:
    """14. Non-response is never escalated or told to anybody but the person."""
    for entry in step.entries:
        event = entry.event
        if isinstance(event, MessageIssued):
            for item in event.items:
                own = event.people == (item.task.rpartition("/")[2],)
                if "/questionnaire-" in item.task and (item.escalation or not own):
                    yield "somebody else is told that a questionnaire waits"
    ladders = {task.ladder for task in step.after.open_tasks if task.command == "CompleteQuestionnaire"}
    if any(rung.escalates for ladder in ladders for rung in step.after.template.ladder(ladder).rungs):
        yield "the ladder of the questionnaire escalates"
    for review in reviews(step.after):
        if review.evidence and {"questionnaire", "enrolment"} & review.evidence.overdue.keys():
            yield f"{review.id} counts people who have not answered"


def the_facilitator_is_of_neither_side(step: Step) -> Iterator[str]:
    """15. The facilitator belongs to neither side, is no sponsor, owner or challenger."""
    owners = {owner for action in actions(step.after) for owner in action.owners}
    for person in step.after.holders(Role.FACILITATOR):
        if step.after.people[person].roles() & (PARTICIPANTS | SPONSORS | CHALLENGERS) or person in owners:
            yield f"{person} facilitates and takes part"


def what_travels_holds_no_candid_word(step: Step) -> Iterator[str]:
    """26. The core's share: titles and reasons of tasks, dues, notices and messages hold no free text and no name."""
    said: list[tuple[str, ...]] = [
        (task.title, task.due.why if task.due else "", task.id) for task in step.after.open_tasks
    ]
    said += [(due.what, due.why, due.key) for due in step.after.acts]
    for entry in step.entries:
        if isinstance(entry.event, NoticeRaised):
            said.append((entry.event.title, entry.event.about))
        if isinstance(entry.event, MessageIssued):
            said += [(item.title, item.why, item.task, item.about) for item in entry.event.items]
    for texts in said:
        if any(CANDID in text for text in texts):
            yield f"'{texts[0]}' holds what somebody wrote"
