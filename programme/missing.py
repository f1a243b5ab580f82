"""What the gates still lack: for each open stage, sentences that say what the programme waits for there."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from programme.messages import Stage
from programme.stages import agreement, challenge, diagnosis, exchange, mandate, renewal, sessions

if TYPE_CHECKING:
    from programme.engagement import Engagement

LACKS: Mapping[Stage, Callable[[Engagement], list[str]]] = {
    Stage.MANDATE: mandate.lacks,
    Stage.DIAGNOSIS: diagnosis.lacks,
    Stage.EXCHANGE: exchange.lacks,
    Stage.SESSIONS: sessions.lacks,
    Stage.AGREEMENT: agreement.lacks,
    Stage.CHALLENGE: challenge.lacks,
    Stage.RENEWAL: renewal.lacks,
}


def missing(engagement: Engagement) -> dict[Stage, tuple[str, ...]]:
    """What each open stage lacks; a gate is not asked where its cycle does not run."""
    if engagement.ended:
        return {}
    return {
        stage: tuple(lacks(engagement))
        for stage, lacks in LACKS.items()
        if engagement.in_stage(stage) and (engagement.cycle or stage is Stage.MANDATE)
    }
