"""What nobody may know yet, and so no forecast either: it is presumed, and the same whatever it is.

A forecast that followed an unrevealed decision, or counted who has answered, would tell both (programme.md, Disclosure
and invariants 12 and 14).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from programme.stages.mandate import Answer
from programme.stages.renewal import NextStep

if TYPE_CHECKING:
    from programme.engagement import Cycle, Engagement


def presumed(engagement: Engagement) -> Engagement:
    """The engagement with everything that is sealed replaced: willing sponsors, no answer counted, renewal."""
    return _with_cycle(_with_willing_sponsors(engagement))


def _with_willing_sponsors(engagement: Engagement) -> Engagement:
    mandate = engagement.mandate
    if mandate.revealed or not mandate.statements:
        return engagement
    willing = {who: one.model_copy(update={"answer": Answer.WILLING}) for who, one in mandate.statements.items()}
    return engagement.but(mandate=mandate.model_copy(update={"statements": willing}))


def _with_cycle(engagement: Engagement) -> Engagement:
    cycle = engagement.cycle
    if cycle is None:
        return engagement
    changes = {"diagnosis": _uncounted(cycle), "renewal": _renewing(cycle)}
    if all(changed is getattr(cycle, name) for name, changed in changes.items()):
        return engagement
    return engagement.in_cycle(**changes)


def _uncounted(cycle: Cycle) -> object:
    surveys = cycle.diagnosis.surveys
    if not any(one.open and one.completed for one in surveys.values()):
        return cycle.diagnosis
    empty = {name: one.model_copy(update={"completed": ()}) if one.open else one for name, one in surveys.items()}
    return cycle.diagnosis.model_copy(update={"surveys": empty})


def _renewing(cycle: Cycle) -> object:
    renewal = cycle.renewal
    if renewal.asked is None or not renewal.decisions:
        return renewal
    same = {"choice": NextStep.RENEW, "newest_template": False}
    decisions = {who: one.model_copy(update=same) for who, one in renewal.decisions.items()}
    return renewal.model_copy(update={"decisions": decisions})
