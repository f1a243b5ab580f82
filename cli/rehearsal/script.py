"""The worked example in words and figures: an invented trust whose emergency department keeps people waiting.

Nothing here is about a real trust or a real person. Figures are what the story needs: one measure improves once the
first action is at work, so that its chart signals, and the questionnaire finds a difference, a hidden agreement and a
shared concern.
"""

import random
from datetime import date
from decimal import Decimal
from typing import Any

from programme.messages import Side
from programme.questionnaire import HIGHEST, LOWEST, Condition, Questionnaire
from programme.working_time import month_after

SCOPE = "Emergency department"
LOCAL_PROBLEM = "People wait too long in A&E, and blame falls on junior doctors"
DPIA, PRIVACY_NOTICE = "DPIA-2027-014", "1"
Json = dict[str, Any]

INTERESTS = "I have no interest to declare."
CAN_GIVE = "One afternoon a month, and my weight behind what is agreed."
NEED = "That both sides stay at the table when a bad week comes."

# --- the questionnaire ---------------------------------------------------------------------------------------------

# condition: what doctors say, what managers say, what doctors think managers say, what managers think doctors say
VIEWS: dict[str, tuple[float, float, float, float]] = {
    "C01": (3.7, 3.9, 3.6, 3.8),
    "C02": (2.8, 3.4, 3.2, 3.1),
    "C03": (2.4, 2.6, 2.7, 2.5),  # a shared concern
    "C04": (3.0, 3.3, 3.1, 3.2),
    "C05": (3.1, 3.4, 3.0, 3.3),
    "C06": (2.6, 3.2, 3.1, 2.9),
    "C07": (3.2, 3.5, 3.3, 3.4),
    "C08": (2.9, 3.3, 3.2, 3.2),
    "C09": (2.1, 3.4, 3.3, 2.2),  # a real difference, and each side knows it
    "C10": (3.1, 3.2, 2.0, 2.1),  # a hidden agreement: each thinks the other understands less
    "C11": (3.3, 3.5, 3.2, 3.4),
}
BETTER_AFTER_A_YEAR = 0.6
COMMENTING = 0.4  # of those who answer
ON_TRACK = 0.8  # of check-ins
COMING = 0.85  # of those who are invited to a session
COMMENT = "We plan the morning together; by the afternoon nobody remembers the plan."


def ratings(form: Questionnaire, side: Side, chance: random.Random, *, again: bool) -> dict[str, int]:
    """One person's ratings. ``again``: a year later, when things are a little better."""
    return {
        key: _rating(condition, key, side, chance, again=again)
        for condition in form.conditions
        for key in condition.keys
    }


def _rating(condition: Condition, key: str, side: Side, chance: random.Random, *, again: bool) -> int:
    own = 0 if side is Side.DOCTOR else 1
    view = VIEWS[condition.id][own + 2 * (key == condition.guess_key)] + BETTER_AFTER_A_YEAR * again
    said = min(HIGHEST, max(LOWEST, round(chance.gauss(view, 0.45))))
    return condition.score(key, said)  # turning twice is not turning: what counts as 2 is said as 4


# --- measures ------------------------------------------------------------------------------------------------------

MEASURES: tuple[Json, ...] = (
    {
        "title": "Patients admitted, transferred or discharged within 4 hours",
        "purpose": "outcome",
        "unit": "%",
        "direction": "up",
        "source": "Monthly A&E return, all attendances",
    },
    {
        "title": "Ward discharges before midday",
        "purpose": "process",
        "unit": "%",
        "direction": "up",
        "source": "Patient administration system, four medical wards",
    },
    {
        "title": "People back in A&E within 72 hours",
        "purpose": "balancing",
        "unit": "%",
        "direction": "down",
        "source": "A&E system, unplanned returns",
    },
)
BASELINE_MONTHS = 18
_LEVELS = {"M1": ("68.0", "76.4"), "M2": ("18.2", "27.5"), "M3": ("6.4", "6.5")}  # before, and once the actions work


def value(measure: str, chance: random.Random, *, improved: bool) -> str:
    """A month's figure, to one decimal place."""
    before, after = _LEVELS[measure]
    spread = 0.7 if measure != "M3" else 0.2
    return str(
        Decimal(after if improved else before)
        + Decimal(round(chance.uniform(-spread, spread), 1)).quantize(Decimal("0.1"))
    )


def baseline(measure: str, until: date, chance: random.Random) -> list[Json]:
    """The months before a day, the oldest first."""
    months = [month_after(until.replace(day=1), -back) for back in range(BASELINE_MONTHS, 0, -1)]
    return [{"period": str(month), "value": value(measure, chance, improved=False)} for month in months]


def since(measure: str, known: list[str], today: date, chance: random.Random, *, improved: bool) -> list[Json]:
    """The months that have ended since the last that is known."""
    month, months = month_after(date.fromisoformat(max(known)), 1), []
    while month_after(month, 1) <= today:
        months.append(month)
        month = month_after(month, 1)
    return [{"period": str(one), "value": value(measure, chance, improved=improved)} for one in months]


# --- joint sessions ------------------------------------------------------------------------------------------------

PRIORITIES = ["C03", "C06", "C09", "C10"]
DIFFERENCE = {
    "title": "Who decides that a patient may wait",
    "condition": "C09",
    "doctors": "We decide on clinical need, and a target must never push a sicker patient back.",
    "managers": "A target missed for one patient is a corridor full for the next; both are clinical need.",
}
OUTPUTS: dict[str, Json] = {
    "A": {
        "summary": "Both sides read the pack, compared their lists and asked only what was meant.",
        "problem": "The first senior decision comes too late, and neither side can bring it forward alone.",
        "priorities": PRIORITIES,
    },
    "B": {
        "summary": "Each side argued the other's case first. Two ways to decide earlier were weighed.",
        "options": [
            {
                "text": "Consultants at the front door from 8am to 10pm",
                "doctors_for": "The most experienced judgement comes first",
                "doctors_against": "Ward rounds lose their seniors in the morning",
                "managers_for": "Fewer people wait for a second opinion",
                "managers_against": "Two further posts are needed until spring",
            },
            {
                "text": "One huddle for both sides at 8:15am, every day",
                "doctors_for": "Beds are asked for before they are needed",
                "managers_for": "One conversation in place of five telephone calls",
            },
        ],
        "decisions": [
            {"decision": "Opening the overflow area", "now": "division", "should": "service"},
            {"decision": "Moving a consultant between ward and front door", "now": "service", "should": "ward"},
        ],
    },
    "C": {
        "summary": "Three actions were drafted and screened, two development needs named, and a compact drafted.",
        "compact": {
            "doctors_give": ["A senior decision within an hour of arrival", "Our discharge plans by 11am"],
            "managers_give": [
                "No change of rota without a week's notice",
                "The bed position to everybody at 8am and 2pm",
            ],
        },
    },
    "D": {
        "summary": "Both sides read the comparison of the two packs before anybody spoke.",
        "learned": "We had argued about targets and meant trust. The huddle did more for that than any target did.",
    },
}
THEME = "Plans are made together in the morning and forgotten by the afternoon"
PLACE = "Education centre, room 2"
MOVED = "The session before it has moved"
DEFERRED_FOR = 80  # working days
DEFERRED = {"condition": "C06", "reason": "Appraisals are being changed trust-wide; we take it up when that is done"}
EXTRA_SUMMARY = "The sides talked about what had come back to them, and what would make it possible to say yes."
UNQUORATE = "Too few managers could leave the site. Those present talked about the week, and nothing was agreed."

# --- actions -------------------------------------------------------------------------------------------------------

YES, NO = "yes", "no"
FRONT_DOOR, HUDDLE, BED_POSITION = "front-door", "huddle", "bed-position"
ACTIONS: dict[str, Json] = {
    FRONT_DOOR: {
        "title": "Put consultants at the front door from 8am to 10pm as first assessors",
        "scope": "Emergency department, every day",
        "aim": ("Raise the share of people seen through within 4 hours from 68% to 76%", "68.0", "76.0"),
        "conditions": ["C03", "C09"],
        "measures": ["M1", "M3"],
        "screening": {"changes_who_treats": YES, "directs_clinical_decision": NO, "changes_clinical_staffing": YES},
    },
    HUDDLE: {
        "title": "Meet for ten minutes at 8:15am, one doctor and one manager from each ward",
        "scope": "Emergency department and four medical wards",
        "aim": ("Raise discharges before midday from 18% to 27%", "18.0", "27.0"),
        "conditions": ["C10"],
        "measures": ["M2"],
        "screening": dict.fromkeys(
            ("changes_who_treats", "directs_clinical_decision", "changes_clinical_staffing"), NO
        ),
    },
    BED_POSITION: {
        "title": "Send every consultant the bed position each hour",
        "scope": "Emergency department",
        "aim": ("Raise discharges before midday from 18% to 24%", "18.0", "24.0"),
        "conditions": ["C03"],
        "measures": ["M2"],
        "screening": dict.fromkeys(
            ("changes_who_treats", "directs_clinical_decision", "changes_clinical_staffing"), NO
        ),
    },
}
BED_POSITION_AGAIN: Json = {**ACTIONS[BED_POSITION], "title": "Show the bed position on one screen in the department"}
WEEKENDS: Json = {
    **ACTIONS[FRONT_DOOR],
    "title": "Extend the front-door rota to weekends",
    "scope": "Emergency department, weekends",
}
DECLINED_BECAUSE = "An e-mail each hour is noise. We would rather look at one screen together."
OBJECTION = "The late shift has no cover when the consultant at the front door is called to resuscitation."
OBJECTION_DECIDED = "A second consultant is on call from 6pm. With that the action is safe to go on."
NEEDS: tuple[Json, ...] = (
    {"need": "How to lead a ten-minute meeting that ends on time", "conditions": ["C10"]},
    {"need": "Reading a control chart together", "conditions": ["C11"]},
)
TARGET = {"measure": "M1", "value": "76.0"}
PDSA = {
    "plan": "Stand instead of sitting, for one week",
    "do": "Five huddles on five days",
    "study": "Seven minutes in place of ten",
    "act": "We keep standing",
}
WINTER = "Winter pressure: every bed is taken, and all leave is stopped"
LATE_HOLIDAY = "The day of mourning"
HANDOVER_NOTE = "The rota for the front door is agreed until March; the matron knows who can swap."
PROGRESS_LINES = ("The rota holds.", "Two shifts were short this month.", "It has become routine.")
EVIDENCE = "I stood at the front door on three mornings and read the last four weeks of the rota."
SIGNAL_EXPLAINED = "Consultants have been first assessors since the change; nothing else moved in these weeks."
TOUCHPOINT = "Both owners and a sponsor went through the chart. Cover at the weekend came up again."

# --- perspective exchange ------------------------------------------------------------------------------------------

REFLECTION = "You are held to account for a number that other people make. I had thought that you made it."
CORRECTION = (
    "It is not the number that keeps me awake. It is telling the same family for the third time that there is no bed."
)
REFLECTION_AGAIN = "You carry what we decide to the people who wait. I had thought that you only counted them."
INSIGHT = "We each believed that the other had the freedom which neither of us has."

# --- challenge and renewal -----------------------------------------------------------------------------------------

POSITION = "The action works on weekdays. We have not asked what happens on a Sunday."
FINDINGS: dict[str, tuple[Json, ...]] = {
    "first": (
        {"kind": "commend", "text": "Both sides know the chart and argue from it."},
        {"kind": "recommend", "text": "Say what covers the weekend, and who decides it."},
    ),
    "later": (
        {"kind": "commend", "text": "The huddle survived the winter."},
        {"kind": "concern", "text": "The screen is watched; nobody knows who acts on it."},
    ),
}
COMPLACENCY = {
    "surprised": "That the huddle moved discharges more than the rota did.",
    "stopped_asking": "Whether the people who wait notice any of it.",
    "disagreement": "The chart improved while the doctors' rating of decisions did not.",
}
PARTLY_BECAUSE = "We agree on the question, and not on the answer that it suggests."
MEETING = "Both sponsors read the comparison together. Ending now would leave the weekend half done."
