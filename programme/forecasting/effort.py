"""How long steps take: what a person's fortnight fills up with.

programme.md says 12 minutes of a questionnaire, half a day of a visit, 45 minutes of a joint touchpoint; sessions and
review meetings last as long as their calendar entries. The other figures are our own defaults, unconfirmed.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

HALF_DAY = 225  # minutes: half of the 7.5 hours of an NHS working day
SMALL = 5  # what is a click and a sentence

MINUTES: Mapping[str, int] = {
    "CompleteQuestionnaire": 12,
    "RecordVisit": HALF_DAY,
    "RecordTouchpoint": 45,
    "AcceptAppointment": 15,
    "AcceptPanel": 15,
    "AddPoints": 20,
    "AgreeAction": 20,
    "AnswerFinding": 20,
    "AppointToPanel": 60,
    "ApproveAction": 30,
    "CheckIn": 10,
    "ConfirmNeedMet": 15,
    "ConfirmNotes": 15,
    "ConfirmPairs": 45,
    "DecideObjection": 60,
    "DecideRenewal": 30,
    "DefineMeasure": 60,
    "DraftAction": 60,
    "ExplainSignal": 20,
    "GivePositionStatement": 45,
    "MarkReflection": 15,
    "RecordFindings": 120,
    "RecordJointMeeting": 60,
    "RecordProgressCheck": 60,
    "ScheduleReview": 15,
    "ScheduleSession": 15,
    "SettleNotes": 60,
    "SignCompact": 15,
    "StateWillingness": 20,
    "VerifyAction": 45,
    "WriteNotes": 120,
    "WriteReflection": 60,
    "WriteThemes": 240,
}
"""Minutes of the person who does it, by the kind of the command."""


def minutes(command: str) -> int:
    """How long a step takes whoever does it."""
    return MINUTES.get(command, SMALL)


def lasting(starts: datetime | None, ends: datetime | None) -> int:
    """How many minutes a meeting lasts; 0 where it has no date."""
    return int((ends - starts).total_seconds()) // 60 if starts and ends else 0
