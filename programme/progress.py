"""Where an engagement stands, in words. Derived and never typed: nobody can colour a programme green."""

from __future__ import annotations

from typing import TYPE_CHECKING

from programme.messages import Stage

if TYPE_CHECKING:
    from programme.engagement import Engagement

PAUSED = "Paused"
ENDED = {"not_ready": "Not ready", "closed": "Closed"}
SUSTAINING = "Sustaining"
TOO_FEW_ANSWERS = "Diagnosis closed, not enough answers"
IN_FRONT = {
    Stage.MANDATE: "Waiting for willingness",
    Stage.DIAGNOSIS: "Diagnosis open",
    Stage.EXCHANGE: "Exchanging perspectives",
    Stage.SESSIONS: "In joint sessions",
    Stage.AGREEMENT: "Agreeing actions",
    Stage.DELIVERY: "Delivering",
    Stage.CHALLENGE: "In challenge",
    Stage.RENEWAL: "Renewing",
}


def progress(engagement: Engagement) -> str:
    """The one word or two of programme.md, "Progress words"."""
    if engagement.ended:
        return ENDED[engagement.ended]
    if engagement.paused:
        return PAUSED
    if engagement.cycle and engagement.cycle.sustaining and not engagement.in_stage(Stage.RENEWAL):
        return SUSTAINING
    if engagement.in_stage(Stage.DIAGNOSIS) and any(one.short for one in engagement.running.diagnosis.surveys.values()):
        return TOO_FEW_ANSWERS
    if engagement.stage is Stage.CHALLENGE and not _in_challenge(engagement):
        return IN_FRONT[Stage.DELIVERY]
    return IN_FRONT[engagement.stage]


def _in_challenge(engagement: Engagement) -> bool:
    """Whether a panel has evidence before it, or findings wait for an answer. Delivery goes on meanwhile."""
    reviews = engagement.running.challenge.reviews.values()
    return any(one.evidence and not one.answered for one in reviews)
