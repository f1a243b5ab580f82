"""What people do with actions and development needs: agree, approve, deliver, verify."""

from cli.rehearsal import script
from cli.rehearsal.cast import Player
from cli.rehearsal.front_door import Json
from cli.rehearsal.scene import Ask, Duty, Scene, only
from programme.messages import Role, Side

# --- agreement -------------------------------------------------------------------------------------------------------


async def agree_action(scene: Scene, who: Player, duty: Duty) -> list[Ask]:
    """Agree; the managers decline one action."""
    action = await scene.action(who, duty.about)
    body = {"action": duty.about, "version": action["version"]}
    unwanted = action["title"] == script.ACTIONS[script.BED_POSITION]["title"]
    if unwanted and who.side is Side.MANAGER:
        return [Ask(who, "DeclineAction", body | {"reason": script.DECLINED_BECAUSE})]
    return [Ask(who, duty.command, body)]


async def approve_action(scene: Scene, who: Player, duty: Duty) -> list[Ask]:
    """Approve as a doctor. Before that a manager tries, and is refused: nobody but a doctor decides this."""
    action = await scene.action(who, duty.about)
    body = {"action": duty.about, "version": action["version"]}
    tried = [Ask(scene.owner(Side.MANAGER, 0), duty.command, body)] if scene.first_time("manager-approves") else []
    return [*tried, Ask(who, duty.command, body)]


async def acknowledge_objection(scene: Scene, who: Player, duty: Duty) -> list[Ask]:
    """Take up every open objection to the action."""
    found = await _open_objections(scene, who, duty)
    return [
        Ask(who, duty.command, {"action": duty.about, "objection": one["number"]})
        for one in found
        if not one["acknowledged"]
    ]


async def decide_objection(scene: Scene, who: Player, duty: Duty) -> list[Ask]:
    """Let the action go on, with a reason."""
    found = await _open_objections(scene, who, duty)
    said = {"goes_on": True, "reason": script.OBJECTION_DECIDED}
    return [Ask(who, duty.command, {"action": duty.about, "objection": one["number"], **said}) for one in found]


async def _open_objections(scene: Scene, who: Player, duty: Duty) -> list[Json]:
    action = await scene.action(who, duty.about)
    return [one for one in action["objections"] if not one["decided"]]


async def sign_compact(scene: Scene, who: Player, duty: Duty) -> list[Ask]:
    """Sign the version that is out."""
    engagement = await scene.door.engagement(who)
    return only(who, duty.command, version=engagement["compact"]["version"])


async def own_need(scene: Scene, who: Player, duty: Duty) -> list[Ask]:
    """Own a development need; the facilitator finds somebody."""
    owner = who if who.side else scene.owner(Side.MANAGER, len(duty.about))
    return only(owner, duty.command, need=duty.about)


async def confirm_need(scene: Scene, who: Player, duty: Duty) -> list[Ask]:
    """The facilitator asks somebody of each side who does not own the need."""
    need = next(one for one in await scene.needs(who) if one["id"] == duty.about)
    said = {"need": duty.about, "evidence": script.EVIDENCE}
    return [
        Ask(next(one for one in scene.active(side) if scene.id_of(one) != need["owner"]), duty.command, said)
        for side in Side
        if side not in need["confirmations"]
    ]


# --- delivery --------------------------------------------------------------------------------------------------------


async def explain_signal(scene: Scene, who: Player, duty: Duty) -> list[Ask]:
    """Say what one knows of every signal of the measure that one's side has not explained."""
    measure = await scene.measure(who, duty.about)
    side = who.side.value if who.side else ""
    waiting = [one for one in measure["signals"] if side not in one["explanations"]]
    said = {"measure": duty.about, "explanation": script.SIGNAL_EXPLAINED}
    return [Ask(who, duty.command, {**said, "signal": one["number"]}) for one in waiting]


async def verify_action(scene: Scene, who: Player, duty: Duty) -> list[Ask]:
    """Look, and say what one found; the facilitator asks somebody of the side who does not own the action."""
    action = await scene.action(who, duty.about)
    side = next(side for side in Side if f"-{side.value}-" in duty.id)
    owners = (action["doctor_owner"], action["manager_owner"])
    others = (one for one in scene.active(side) if scene.id_of(one) not in owners)
    return only(who if who.side else next(others), duty.command, action=duty.about, evidence=script.EVIDENCE)


async def other_half(scene: Scene, who: Player, duty: Duty) -> list[Ask]:
    """Give one's half of what takes both co-owners."""
    del scene
    return only(who, duty.command, action=duty.about)


async def check_in(scene: Scene, who: Player, duty: Duty) -> list[Ask]:
    """Say how it goes: the bed position is stuck for two months, the rest goes well."""
    progress = (
        "on_track" if scene.cast.chance("check-in", who.key, scene.today).random() < script.ON_TRACK else "needs_help"
    )
    line = scene.cast.chance("line", who.key, scene.today).choice(script.PROGRESS_LINES)
    return only(who, duty.command, about=duty.about, progress=progress, line=line)


async def record_touchpoint(scene: Scene, who: Player, duty: Duty) -> list[Ask]:
    """Both co-owners and a sponsor have met."""
    action = await scene.action(who, duty.about)
    people = [action["doctor_owner"], action["manager_owner"], scene.id_of(scene.cast.having(Role.MEDICAL_SPONSOR))]
    said = {"on": str(scene.today), "attended": people, "summary": script.TOUCHPOINT}
    return only(who, duty.command, actions=[duty.about], **said)
