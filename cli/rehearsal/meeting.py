"""What people do about joint sessions: dates, invitations, attendance, notes."""

from datetime import date, datetime, time

from cli.rehearsal import script
from cli.rehearsal.cast import Player
from cli.rehearsal.front_door import Json
from cli.rehearsal.scene import Ask, Duty, Scene, at, only
from programme.messages import Side

QUORUM = 3  # of a side, where only some of a side come
FEW = 2  # who come to the session that is not quorate
SESSION_HOUR = time(14)


async def schedule_session(scene: Scene, who: Player, duty: Duty) -> list[Ask]:
    """Set a date as soon as the programme allows."""
    session = await scene.session(who, duty.about)
    on = await _session_day(scene, who, session)
    return only(who, duty.command, session=duty.about, starts=at(on, SESSION_HOUR), place=script.PLACE)


async def move_session(scene: Scene, who: Player, duty: Duty) -> list[Ask]:
    """Keep the distance to the session before."""
    session = await scene.session(who, duty.about)
    on = await _session_day(scene, who, session)
    body = {"session": duty.about, "starts": at(on, SESSION_HOUR), "place": script.PLACE, "reason": script.MOVED}
    return [Ask(who, duty.command, body)]


async def _session_day(scene: Scene, who: Player, session: Json) -> date:
    """Far enough from today and from the session before, near enough where it must be soon."""
    durations = scene.template.durations
    earlier = [one for one in await scene.sessions(who) if _before(one, session) and one["starts"]]
    if session["purpose"] == "planned" and earlier and session["letter"] != "A":
        last = max(datetime.fromisoformat(one["starts"]).date() for one in earlier)
        return max(scene.time.plus(last, durations.session_gap), scene.time.plus(scene.today, 2))
    days = (
        durations.session_gap if session["purpose"] != "planned" or session["within"] else durations.session_invitation
    )
    return scene.time.plus(scene.today, days)


def _before(one: Json, session: Json) -> bool:
    planned = one["purpose"] == session["purpose"] == "planned"
    return planned and chr(ord(session["letter"]) - 1) == str(one["letter"])


async def answer_invitation(scene: Scene, who: Player, duty: Duty) -> list[Ask]:
    """Say whether one comes; most do."""
    comes = scene.cast.chance("comes", who.key, duty.about).random() < script.COMING or await _leads(scene, who)
    return only(who, duty.command, session=duty.about, comes=comes)


async def _leads(scene: Scene, who: Player) -> bool:
    return who in scene.active(Side.DOCTOR)[:QUORUM] + scene.active(Side.MANAGER)[:QUORUM]


async def record_attendance(scene: Scene, who: Player, duty: Duty) -> list[Ask]:
    """Certify who came: those who said so; to the first session B too few managers."""
    session = await scene.session(who, duty.about)
    came = [scene.who(person) for person, comes in session["replies"].items() if comes]
    doctors, managers = ([one for one in came if one.side is side] for side in Side)
    few = session["letter"] == "B" and scene.first_time("inquorate")
    doctors, managers = _balanced(doctors, managers[:FEW] if few else managers)
    voting = scene.ids_of(doctors + managers)
    certified = {"session": duty.about, "voting": voting, "others": [scene.id_of(who)]}
    talked = [Ask(who, "RecordConversation", {"session": duty.about, "text": script.UNQUORATE})] if few else []
    return [Ask(who, duty.command, certified), *talked]


def _balanced(doctors: list[Player], managers: list[Player]) -> tuple[list[Player], list[Player]]:
    """Nobody stays away because of it; but of the larger side only so many vote that the smaller keeps its 40%."""
    return doctors[: max(QUORUM, len(managers) * 3 // 2)], managers[: max(QUORUM, len(doctors) * 3 // 2)]


async def write_notes(scene: Scene, who: Player, duty: Duty) -> list[Ask]:
    """Write what the session agreed; what a session has to bring beside its notes comes first."""
    session = await scene.session(who, duty.about)
    outputs = dict(script.OUTPUTS.get(session["letter"], {"summary": script.EXTRA_SUMMARY}))
    asks = []
    if session["letter"] == "A" and scene.first_time("difference"):
        asks = _difference(scene, session)
    chosen = script.PRIORITIES[: scene.template.thresholds.priority_conditions[1]]
    if "priorities" in outputs:
        outputs["priorities"] = chosen
    if session["letter"] == "C" and script.DEFERRED["condition"] in chosen:
        until = scene.time.plus(scene.today, script.DEFERRED_FOR)
        outputs["deferrals"] = [{**script.DEFERRED, "until": str(until)}]
    return [*asks, Ask(who, duty.command, {"session": duty.about, "outputs": outputs})]


def _difference(scene: Scene, session: Json) -> list[Ask]:
    """The two sides put on the log what they do not see alike."""
    doctor, manager = scene.owner(Side.DOCTOR, 0), scene.owner(Side.MANAGER, 0)
    told = script.DIFFERENCE
    raised = {"title": told["title"], "condition": told["condition"], "session": session["id"], "view": told["doctors"]}
    return [
        Ask(doctor, "RaiseDifference", raised),
        Ask(manager, "NoteView", {"difference": "D1", "text": told["managers"]}),
    ]


async def confirm_notes(scene: Scene, who: Player, duty: Duty) -> list[Ask]:
    """Confirm the version that is out."""
    session = await scene.session(who, duty.about)
    return only(who, duty.command, session=duty.about, version=session["notes"]["version"])


async def settle_notes(scene: Scene, who: Player, duty: Duty) -> list[Ask]:
    """Let the notes stand with both views."""
    del scene
    views = {"doctors_view": script.DIFFERENCE["doctors"], "managers_view": script.DIFFERENCE["managers"]}
    return only(who, duty.command, session=duty.about, **views)
