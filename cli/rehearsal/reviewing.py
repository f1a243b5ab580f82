"""What people do to challenge what was achieved, and to decide what comes next."""

from collections.abc import Iterable, Mapping
from datetime import date, datetime, time, timedelta

from cli.rehearsal import script
from cli.rehearsal.cast import Player
from cli.rehearsal.front_door import Json
from cli.rehearsal.scene import Ask, Duty, Scene, at, only
from programme.messages import Role, Side

REVIEW_HOUR = time(13)


# --- challenge reviews -----------------------------------------------------------------------------------------------


async def appoint_panel(scene: Scene, who: Player, duty: Duty) -> list[Ask]:
    """Ask a chair, a doctor and a manager who have nothing to do with what is reviewed."""
    review = await scene.review(who, duty.about)
    inside = [player for player in scene.cast.players if Role.INTERNAL_CHALLENGER in player.roles]
    outside = scene.cast.having(Role.EXTERNAL_CHALLENGER)
    chair, doctor, manager = (outside, *inside[:2]) if review["kind"] == "external" else (inside[2], *inside[:2])
    seats = ((chair, Side.MANAGER, True), (doctor, Side.DOCTOR, False), (manager, Side.MANAGER, False))
    return [
        Ask(
            who,
            duty.command,
            {"review": duty.about, "person": scene.id_of(one), "background": side.value, "chair": chairs},
        )
        for one, side, chairs in seats
        if scene.id_of(one) not in review["panel"]
    ]


async def accept_panel(scene: Scene, who: Player, duty: Duty) -> list[Ask]:
    """Sit on the panel, with a declaration."""
    del scene
    return only(who, duty.command, review=duty.about, interests=script.INTERESTS, independent=True)


async def schedule_review(scene: Scene, who: Player, duty: Duty) -> list[Ask]:
    """The planned day, or the first that leaves time for the position statements; never before anything is agreed."""
    if not await scene.delivers():
        return []
    review = await scene.review(who, duty.about)
    ahead = scene.time.plus(scene.today, scene.template.durations.position_statement + 2)
    on = scene.time.plus(max(ahead, date.fromisoformat(review["planned"])), 0)
    return only(who, duty.command, review=duty.about, starts=at(on, REVIEW_HOUR), place=script.PLACE)


async def give_position(scene: Scene, who: Player, duty: Duty) -> list[Ask]:
    """Say how one sees what one owns."""
    del scene
    return only(who, duty.command, review=duty.about, text=script.POSITION)


async def hold_review(scene: Scene, who: Player, duty: Duty) -> list[Ask]:
    """Say who was there; go on without a statement that never came."""
    review = await scene.review(who, duty.about)
    ended = datetime.fromisoformat(review["meeting"]["ends"])
    if scene.now < ended + timedelta(minutes=1):
        return []
    return only(who, duty.command, review=duty.about, attended=list(review["panel"]), without_statements=True)


async def record_findings(scene: Scene, who: Player, duty: Duty) -> list[Ask]:
    """Write what the panel found, and answer the three questions against complacency."""
    first = scene.first_time("first-findings")
    findings = [{**one, "condition": "C09"} for one in script.FINDINGS["first" if first else "later"]]
    return only(who, duty.command, review=duty.about, findings=findings, **script.COMPLACENCY)


async def answer_findings(scene: Scene, who: Player, duty: Duty) -> list[Ask]:
    """Accept what is recommended, partly what is a concern."""
    review = await scene.review(who, duty.about)
    side = duty.id.rpartition("/")[0].rpartition("-")[2]
    asks = []
    for finding in _values(review["findings"]):
        if side not in finding["answers"]:
            partly = finding["kind"] == "concern"
            said = {"reply": "partly", "reason": script.PARTLY_BECAUSE} if partly else {"reply": "accept"}
            asks.append(Ask(who, duty.command, {"review": duty.about, "finding": finding["id"], **said}))
    return asks


async def progress_check(scene: Scene, who: Player, duty: Duty) -> list[Ask]:
    """Say what became of last year's recommendations."""
    del scene
    return only(who, duty.command, review=duty.about, text=script.EVIDENCE)


def _values(found: Mapping[str, Json] | Iterable[Json]) -> Iterable[Json]:
    return found.values() if isinstance(found, Mapping) else found


# --- renewal ---------------------------------------------------------------------------------------------------------


async def decide_renewal(scene: Scene, who: Player, duty: Duty) -> list[Ask]:
    """Say what should come next: in the second round, after the joint meeting, perhaps something else."""
    role = next(role for role in who.roles if role in scene.cast.choices)
    first, then = scene.cast.choices[role]
    choice = then if scene.happened("joint-meeting") else first
    return only(who, duty.command, choice=choice.value)


async def record_joint_meeting(scene: Scene, who: Player, duty: Duty) -> list[Ask]:
    """Both sponsors and the facilitator have met."""
    scene.first_time("joint-meeting")
    sponsors = (scene.cast.having(role) for role in scene.cast.choices)
    return only(who, duty.command, attended=scene.ids_of((*sponsors, who)), summary=script.MEETING)


async def settle_undelivered(scene: Scene, who: Player, duty: Duty) -> list[Ask]:
    """Reach somebody by telephone."""
    del scene
    return only(who, duty.command, message=int(duty.about))
