"""Back to an earlier stage of the running cycle: two ways, each once a cycle, and both sponsors are told together.

From the joint sessions back to the exchange, for further pairs; from agreement back to the joint sessions, for one
session more. What was given since stays in the history, packs stay released, agreements keep their versions, and the
gate between is passed again. Why there is no other way stands in the decision records.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date, datetime
from typing import TYPE_CHECKING, Literal

from programme.changes.record import Return, with_changes
from programme.gates import TITLES, StageSpan
from programme.measures import refuse_blank
from programme.messages import SPONSORS, Command, Event, Role, Sentence, Stage
from programme.part import Asked, Part
from programme.post import SESSION, NoticeRaised
from programme.refusals import AlreadyDone, CannotReturn, Invalid, NotYet
from programme.stages.invitations import called_off
from programme.stages.session import Purpose
from programme.stages.sessions import one_more, sessions
from programme.stages.visits import with_exchange

if TYPE_CHECKING:
    from programme.engagement import Engagement

BACK: Mapping[Stage, Stage] = {Stage.EXCHANGE: Stage.SESSIONS, Stage.SESSIONS: Stage.AGREEMENT}
"""Where one can return to, and from where."""

INSTEAD: Mapping[Stage, str] = {
    Stage.MANDATE: "Willingness is asked again when a sponsor changes",
    Stage.DIAGNOSIS: "The pack is released and its answers are nobody's any more; the questionnaire comes again at the"
    " end of the cycle",
    Stage.AGREEMENT: "Change the action, which both sides then agree anew, or call a joint session",
    Stage.DELIVERY: "An action that was verified in error can be reopened",
    Stage.CHALLENGE: "A recommendation becomes a draft action, and the next review looks again",
    Stage.RENEWAL: "What both sponsors have decided begins with the next cycle",
}
CALLED_OFF = "The programme has returned to the perspective exchange"


class ReturnToStage(Command):
    """Return to an earlier stage, with a reason: to the exchange for further pairs, or to the sessions for one more.

    Each way is open once in a cycle, as long as the programme is in the stage that follows on it.
    """

    who = frozenset({Role.PROGRAMME_MANAGER, Role.FACILITATOR})
    refusals = (CannotReturn, NotYet, AlreadyDone, Invalid)

    kind: Literal["ReturnToStage"] = "ReturnToStage"
    stage: Stage
    reason: Sentence


Commands = ReturnToStage


class StageReturned(Event):
    """The programme went back from a stage to the one before it. No gate has passed by it."""

    kind: Literal["StageReturned"] = "StageReturned"
    left: Stage
    to: Stage
    cycle: int
    reason: str
    on: date


Events = StageReturned


# --- decide ----------------------------------------------------------------------------------------------------------


def return_to_stage(engagement: Engagement, command: ReturnToStage, asked: Asked) -> list[Event]:
    """Go back, tell both sponsors together and everybody else, and begin what the stage needs more of."""
    left = BACK.get(command.stage)
    if left is None:
        raise CannotReturn(INSTEAD[command.stage])
    if engagement.cycle is None or not engagement.in_stage(left):
        raise NotYet(f"one returns from the stage after it: {TITLES[left]}")
    number = engagement.cycle.number
    if any((one.cycle, one.left) == (number, left) for one in engagement.changes.returns):
        raise AlreadyDone("the programme has returned so once in this cycle; call a joint session instead")
    if not engagement.mandate.both_willing(engagement.sponsors):
        raise NotYet("both sponsors' willingness must be in force")
    if not engagement.template.sessions:
        raise NotYet("the programme of this trust has no joint sessions of its own")
    refuse_blank(command.reason, "The reason")
    returned = StageReturned(left=left, to=command.stage, cycle=number, reason=command.reason, on=asked.today)
    return [returned, *_news(engagement, command.stage), *_begun_again(engagement, command.stage, asked)]


def _news(engagement: Engagement, to: Stage) -> Iterator[Event]:
    title = f"The programme has returned to: {TITLES[to]}"
    others = (one.id for one in engagement.people.values() if one.roles() - SPONSORS - {Role.AUDITOR})
    yield NoticeRaised(people=engagement.sponsors, title=title, about=to.value, together=True)
    yield NoticeRaised(
        people=tuple(one for one in others if one not in engagement.sponsors), title=title, about=to.value
    )


def _begun_again(engagement: Engagement, to: Stage, asked: Asked) -> Iterator[Event]:
    if to is Stage.SESSIONS:
        yield one_more(engagement, asked.today, "The programme has returned to the joint sessions")
        return
    for session in sessions(engagement):
        if session.purpose is Purpose.PLANNED and not session.held and not session.over:
            yield from called_off(engagement, session, CALLED_OFF, asked.today, SESSION)


# --- evolve ----------------------------------------------------------------------------------------------------------


def _returned(engagement: Engagement, event: StageReturned, at: datetime) -> Engagement:
    """The later stage ends and the earlier one begins again; what was sent in either is never sent twice."""
    del at
    spans = tuple(
        one.model_copy(update={"ended": event.on}) if one.stage is event.left and one.ended is None else one
        for one in engagement.stages
    )
    back = StageSpan(stage=event.to, cycle=event.cycle, started=event.on)
    one = Return(left=event.left, to=event.to, cycle=event.cycle, reason=event.reason, on=event.on)
    after = with_changes(engagement.but(stages=(*spans, back)), returns=(*engagement.changes.returns, one))
    if event.to is Stage.EXCHANGE:
        return with_exchange(after, before_return=len(after.running.exchange.pairs))
    return after


PART = Part(name="returning", decide={ReturnToStage: return_to_stage}, evolve={StageReturned: _returned})
