"""What people begin of themselves: actions drafted after session C, an objection, a touchpoint, a report of completion.

A turn happens once, on the first day on which it is ready, and what follows from it is somebody's task.
"""

from collections.abc import Awaitable, Callable
from typing import NamedTuple

from cli.rehearsal import script
from cli.rehearsal.beginning import complete_questionnaire
from cli.rehearsal.cast import Pace
from cli.rehearsal.front_door import Json
from cli.rehearsal.scene import Ask, Duty, Scene
from programme.messages import Side
from programme.working_time import month_after

AIMED_MONTHS = 8  # from drafting to the date of an aim, in a year
SETTLES_IN = 10  # working days from the day on which an action is active to what people notice of it
COMPLETE_AFTER_MONTHS = 3  # in a year
THOUGHT_OVER = 4  # working days after the questionnaire opened
HEARD_AFTER, ANNOUNCED_AHEAD = 20, 8  # working days: into the first action, and from the news to the day itself
LEAVES_AFTER, NOTICE = 30, 10  # working days: into the first action, and from the news to the last day
WINTER, PAUSE = 11, 5  # the month, and how many working days the clock stands still


class Turn(NamedTuple):
    """A turn of the plot: its name, and what is asked once it is ready (None: not yet)."""

    name: str
    asks: Callable[[Scene], Awaitable[list[Ask] | None]]


async def draft_actions(scene: Scene) -> list[Ask] | None:
    """Once session C was quorate: three drafts and two development needs, the drafts proposed."""
    session = await _held(scene, "C")
    if session is None:
        return None
    doctor, manager = scene.owner(Side.DOCTOR, 0), scene.owner(Side.MANAGER, 0)
    asks = []
    for place, action in enumerate(script.ACTIONS.values()):
        drafter = doctor if place % 2 == 0 else manager
        asks.append(Ask(drafter, "DraftAction", {"source": session["id"], "text": text(scene, action, place)}))
        asks.append(Ask(drafter, "ProposeAction", {"action": f"A{place + 1}", "screening": action["screening"]}))
    asks += [Ask(manager, "AddDevelopmentNeed", {**need, "source": session["id"]}) for need in script.NEEDS]
    return asks


def text(scene: Scene, action: Json, place: int) -> Json:
    """An action in full: what the script says, a date, and two owners."""
    sentence, from_value, to_value = action["aim"]
    by = month_after(scene.today, scene.months(AIMED_MONTHS))
    owners = {f"{side.value}_owner": scene.id_of(scene.owner(side, place)) for side in Side}
    return {
        **{name: action[name] for name in ("title", "scope", "conditions", "measures")},
        "aim": {"sentence": sentence, "from_value": from_value, "to_value": to_value, "by": str(by)},
        **owners,
    }


async def _held(scene: Scene, letter: str) -> Json | None:
    sessions = await scene.sessions(scene.manager)
    return next((one for one in sessions if one["letter"] == letter and one["quorate"]), None)


async def object_for_safety(scene: Scene) -> list[Ask] | None:
    """Two weeks into the first action a doctor sees a danger and stops it."""
    action = await scene.titled(script.ACTIONS[script.FRONT_DOOR])
    if action is None or not _works(scene, action, SETTLES_IN):
        return None
    doctor = scene.active(Side.DOCTOR)[-1]
    return [Ask(doctor, "RaiseSafetyObjection", {"action": action["id"], "reason": script.OBJECTION})]


async def improve(scene: Scene) -> list[Ask] | None:
    """From now on the figures show that the first action works. Nobody asks for anything."""
    action = await scene.titled(script.ACTIONS[script.FRONT_DOOR])
    if not _works(scene, action, 1):
        return None
    scene.first_time("improved")
    return []


async def draft_again(scene: Scene) -> list[Ask] | None:
    """What was declined comes back from the extra session in a smaller form."""
    declined = await scene.titled(script.ACTIONS[script.BED_POSITION])
    session = next(
        (one for one in await scene.sessions(scene.manager) if one["purpose"] == "agreement" and one["counts_from"]),
        None,
    )
    if not declined or declined["status"] != "declined" or session is None:
        return None
    drafter, again = scene.owner(Side.MANAGER, 2), script.BED_POSITION_AGAIN
    number = len(await scene.actions(drafter)) + 1
    return [
        Ask(drafter, "DraftAction", {"source": session["id"], "text": text(scene, again, 2)}),
        Ask(drafter, "ProposeAction", {"action": f"A{number}", "screening": again["screening"]}),
    ]


async def take_up_recommendation(scene: Scene) -> list[Ask] | None:
    """A recommendation has become a draft; its owners complete and propose it."""
    actions = await scene.actions(scene.manager)
    draft = next((one for one in actions if one["status"] == "draft" and "-internal-" in one["source"]), None)
    if draft is None:
        return None
    doctor = scene.owner(Side.DOCTOR, 1)
    changed = {"action": draft["id"], "text": text(scene, script.WEEKENDS, 1)}
    proposed = {"action": draft["id"], "screening": script.WEEKENDS["screening"]}
    return [Ask(doctor, "ChangeAction", changed), Ask(doctor, "ProposeAction", proposed)]


async def report_complete(scene: Scene) -> list[Ask] | None:
    """After three months the huddle runs by itself: one owner says so, the other is asked."""
    action = await scene.titled(script.ACTIONS[script.HUDDLE])
    if not action or action["status"] != "active" or not action["activated"]:
        return None
    months = scene.months(COMPLETE_AFTER_MONTHS)
    if str(scene.today) < str(month_after(scene.day(action["activated"]), months)):
        return None
    owner = scene.who(action["doctor_owner"])
    verifier = next(one for one in scene.active(Side.DOCTOR) if one is not owner)
    return [Ask(owner, "ReportComplete", {"action": action["id"], "verifier": scene.id_of(verifier)})]


def _works(scene: Scene, action: Json | None, working_days: int) -> bool:
    if not action or action["status"] != "active" or not action["activated"]:
        return False
    return scene.time.between(scene.day(action["activated"]), scene.today) >= working_days


async def think_again(scene: Scene) -> list[Ask] | None:
    """Somebody takes the answers back while the questionnaire is open, and answers anew."""
    form = (await scene.door.engagement(scene.manager))["questionnaire"]
    doctor = scene.active(Side.DOCTOR)[1]
    if not form or scene.time.between(scene.day(form["opened"]), scene.today) < THOUGHT_OVER:
        return None
    again = Duty("", form["survey"], "CompleteQuestionnaire", "", scene.today, None)
    return [Ask(doctor, "WithdrawAnswers", {}), *await complete_questionnaire(scene, doctor, again)]


async def note_a_test(scene: Scene) -> list[Ask] | None:
    """The owner of the huddle notes a small test of it."""
    action = await scene.titled(script.ACTIONS[script.HUDDLE])
    if action is None or not _works(scene, action, SETTLES_IN):
        return None
    return [Ask(scene.who(action["manager_owner"]), "AddPdsaNote", {"action": action["id"], **script.PDSA})]


async def pause_for_winter(scene: Scene) -> list[Ask] | None:
    """A hard week in November: the clock stands still for five working days, and everybody's dates move."""
    if scene.today.month != WINTER or not await scene.delivers():
        return None
    resumes = scene.time.plus(scene.today, PAUSE)
    pausing = {"reason": script.WINTER, "resumes": str(resumes), "window": "extend"}
    return [Ask(scene.manager, "PauseEngagement", pausing)]


async def hear_of_a_late_holiday(scene: Scene) -> list[Ask] | None:
    """A day of mourning is announced a fortnight ahead, and everybody's dates move."""
    action = await scene.titled(script.ACTIONS[script.FRONT_DOOR])
    if not _works(scene, action, HEARD_AFTER):
        return None
    await scene.announce(scene.time.plus(scene.today, ANNOUNCED_AHEAD), script.LATE_HOLIDAY)
    return []


async def leave(scene: Scene) -> list[Ask] | None:
    """The manager who owns the first action takes another post, where a side has people to spare; a note is left."""
    action = await scene.titled(script.ACTIONS[script.FRONT_DOOR])
    if action is None or not _works(scene, action, LEAVES_AFTER):
        return None
    answering = [one for one in scene.cast.of(Side.MANAGER) if one.pace not in {Pace.SILENT, Pace.DECLINES}]
    if len(answering) <= scene.cast.k:
        return []
    leaver = scene.who(action["manager_owner"])
    scene.gone.add(leaver.key)
    last_day = scene.time.plus(scene.today, NOTICE)
    return [
        Ask(scene.manager, "RecordDeparture", {"person": scene.id_of(leaver), "last_day": str(last_day)}),
        Ask(leaver, "WriteHandoverNote", {"note": script.HANDOVER_NOTE}),
    ]


async def meet_need(scene: Scene) -> list[Ask] | None:
    """Once the first measure has improved, the owner of the first development need says that it is met."""
    need = next((one for one in await scene.needs(scene.manager) if one["status"] == "owned"), None)
    if need is None or not scene.happened("improved"):
        return None
    return [Ask(scene.who(need["owner"]), "ReportNeedMet", {"need": need["id"]})]


PLOT = (
    Turn("somebody thinks again", think_again),
    Turn("actions are drafted", draft_actions),
    Turn("the first action works", improve),
    Turn("a doctor objects", object_for_safety),
    Turn("what was declined comes back", draft_again),
    Turn("a recommendation is taken up", take_up_recommendation),
    Turn("an action is complete", report_complete),
    Turn("a development need is met", meet_need),
    Turn("a small test is noted", note_a_test),
    Turn("somebody leaves", leave),
    Turn("winter", pause_for_winter),
    Turn("a late holiday", hear_of_a_late_holiday),
)
