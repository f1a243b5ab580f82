"""Stage 5, Delivery: a line each from both co-owners every month, joint touchpoints, and an eye on quiet drift.

Delivery is started by gate G4 and does not end by a gate of its own: re-diagnosis and renewal ends it.
"""

from __future__ import annotations

from datetime import date
from enum import StrEnum

from pydantic import Field

from programme.messages import Frozen, Paragraph, PersonId, Sentence, Side
from programme.stages.action import ActionId


class Progress(StrEnum):
    """What a co-owner says of an action this month."""

    ON_TRACK = "on_track"
    NEEDS_HELP = "needs_help"
    STUCK = "stuck"


class CheckInLine(Frozen):
    """One side's line in a monthly check-in."""

    by: PersonId
    progress: Progress
    line: Sentence
    learned: Sentence = ""
    on: date


class CheckInRound(Frozen):
    """The check-ins of one month (``month`` is its first day), due ``working_days`` after they opened.

    ``actions`` and ``needs`` hold those asked about; a side that has said nothing is missing.
    """

    month: date
    opened: date
    working_days: int
    actions: dict[ActionId, dict[Side, CheckInLine]] = Field(default_factory=dict)
    needs: dict[str, tuple[CheckInLine, ...]] = Field(default_factory=dict)


class PointsAsked(Frozen):
    """The measures whose point for a month that has ended is asked for."""

    month: date
    measures: tuple[str, ...]
    on: date


class Touchpoint(Frozen):
    """A joint touchpoint: both co-owners of these actions, and a sponsor."""

    on: date
    actions: tuple[ActionId, ...]
    attended: tuple[PersonId, ...]
    summary: Paragraph = ""


class Delivery(Frozen):
    """What happened month by month. ``drift``: the days on which quiet drift was flagged, for the next review."""

    check_ins: tuple[CheckInRound, ...] = ()
    points: tuple[PointsAsked, ...] = ()
    touchpoints: tuple[Touchpoint, ...] = ()
    drift: tuple[date, ...] = ()
