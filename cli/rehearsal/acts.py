"""What a person does with each kind of task: one table, from the command that completes a task to who sends what.

An act says nothing about when: the year decides that. An empty answer means "not now": the person looks again the next
working day. A further kind of task is one function and one line in ``ACTS``.
"""

from collections.abc import Awaitable, Callable, Iterable, Mapping
from datetime import date, datetime, time, timedelta
from typing import Any

from cli.rehearsal import script
from cli.rehearsal.cast import Pace, Player
from cli.rehearsal.front_door import Json
from cli.rehearsal.scene import Ask, Duty, Scene
from programme.messages import Role, Side
from programme.working_time import at_local

Act = Callable[[Scene, Player, Duty], Awaitable[list[Ask]]]

QUORUM = 3  # of a side, where only some of a side come
FEW = 2  # who come to the session that is not quorate
SESSION_HOUR, REVIEW_HOUR = time(14), time(13)


def _only(who: Player, command: str, **body: Any) -> list[Ask]:
    return [Ask(who, command, body)]


def _at(on: date, clock: time) -> str:
    return at_local(on, clock).isoformat()


# --- mandate and diagnosis -----------------------------------------------------------------------------------------


async def accept_enrolment(scene: Scene, who: Player, duty: Duty) -> list[Ask]:
    """Join one's side, or not."""
    del scene
    if who.pace is Pace.DECLINES:
        return _only(who, "DeclineEnrolment")
    side = who.side.value if who.side else ""
    return _only(who, duty.command, side=side, privacy_notice=script.PRIVACY_NOTICE)


async def accept_appointment(scene: Scene, who: Player, duty: Duty) -> list[Ask]:
    """Accept the part that was offered, with a declaration."""
    del scene
    return _only(who, duty.command, role=duty.about, interests=script.INTERESTS)


async def state_willingness(scene: Scene, who: Player, duty: Duty) -> list[Ask]:
    """Say that one is willing."""
    del scene
    return _only(who, duty.command, answer="willing", can_give=script.CAN_GIVE, need=script.NEED)


async def define_measure(scene: Scene, who: Player, duty: Duty) -> list[Ask]:
    """Define every measure of the story."""
    del scene
    return [Ask(who, duty.command, dict(measure)) for measure in script.MEASURES]


async def add_points(scene: Scene, who: Player, duty: Duty) -> list[Ask]:
    """Load a baseline, or the month that has ended."""
    measure = await scene.measure(who, duty.about)
    known = [reading["period"] for reading in measure["readings"]]
    chance = scene.cast.chance("points", duty.about, scene.today)
    if not known:
        points = script.baseline(duty.about, scene.today, chance)
    else:
        points = script.since(duty.about, known, scene.today, chance, improved=scene.happened("improved"))
    return _only(who, duty.command, measure=duty.about, points=points) if points else []


async def complete_questionnaire(scene: Scene, who: Player, duty: Duty) -> list[Ask]:
    """Answer as one's side sees it."""
    chance = scene.cast.chance("answers", who.key, duty.about)
    side = who.side or Side.DOCTOR
    ratings = script.ratings(scene.form, side, chance, again=duty.about != "diagnosis")
    comments = [script.COMMENT] if chance.random() < script.COMMENTING else []
    return _only(who, duty.command, answers={"ratings": ratings, "comments": comments})


async def write_themes(scene: Scene, who: Player, duty: Duty) -> list[Ask]:
    """Write what several people said."""
    del scene
    return _only(who, duty.command, themes=[{"text": script.THEME, "sources": 4}])


async def choose_after_shortfall(scene: Scene, who: Player, duty: Duty) -> list[Ask]:
    """Ask again, once; after that be content with what both sides say together."""
    again = scene.first_time(f"reopened-{duty.about}")
    return _only(who, duty.command, choice="reopen" if again else "combined")


# --- perspective exchange ------------------------------------------------------------------------------------------


async def confirm_pairs(scene: Scene, who: Player, duty: Duty) -> list[Ask]:
    """Confirm what the system proposes."""
    del scene
    return _only(who, duty.command)


async def record_visit(scene: Scene, who: Player, duty: Duty) -> list[Ask]:
    """Note that one spent half a day with each partner."""
    pair = await scene.pair(who, duty.about)
    seen = {visit["host"] for visit in pair["visits"] if visit["guest"] == scene.id_of(who)}
    across = pair["managers"] if who.side is Side.DOCTOR else pair["doctors"]
    hosts = [host for host in across if host not in seen]
    return [Ask(who, duty.command, {"pair": duty.about, "host": host, "on": str(scene.today)}) for host in hosts]


async def write_reflection(scene: Scene, who: Player, duty: Duty) -> list[Ask]:
    """Write what it is like to be the partner, in other words after a correction."""
    again = duty.id.rpartition("/")[0].endswith("-2")
    words = script.REFLECTION_AGAIN if again else script.REFLECTION
    del scene
    return _only(who, duty.command, pair=duty.about, words=words)


async def mark_reflection(scene: Scene, who: Player, duty: Duty) -> list[Ask]:
    """Recognise oneself; one person does not, the first time."""
    pair = await scene.pair(who, duty.about)
    mine, asks = scene.id_of(who), []
    for author, writing in pair["writings"].items():
        theirs = (author in pair["managers"]) is (who.side is Side.DOCTOR)
        if theirs and mine not in writing["marks"]:
            body: Json = {"pair": duty.about, "author": author, "round": writing["round"], "recognised": True}
            if writing["round"] == 1 and who.side is Side.DOCTOR and scene.first_time("corrected"):
                body |= {"recognised": False, "correction": script.CORRECTION}
            asks.append(Ask(who, duty.command, body))
    return asks


async def offer_insight(scene: Scene, who: Player, duty: Duty) -> list[Ask]:
    """Offer an insight, and let it leave the pair."""
    del scene
    return _only(who, duty.command, pair=duty.about, words=script.INSIGHT, share=True)


async def share_insight(scene: Scene, who: Player, duty: Duty) -> list[Ask]:
    """Let the partner's insight leave the pair, too."""
    pair = await scene.pair(who, duty.about)
    mine = scene.id_of(who)
    authors = [author for author, insight in pair["insights"].items() if mine not in insight["ticks"]]
    return [Ask(who, duty.command, {"pair": duty.about, "author": author}) for author in authors]


async def settle_pair(scene: Scene, who: Player, duty: Duty) -> list[Ask]:
    """Excuse a pair that stalls: somebody in it never answers."""
    if duty.about == "few":
        return await _further_pairs(scene, who)
    return _only(who, "ExcusePair", pair=duty.about, reason="no_common_time")


async def _further_pairs(scene: Scene, who: Player) -> list[Ask]:
    """Bring together people on whom one can count, in place of a pair that was excused."""
    excused = [pair["id"] for pair in await scene.pairs(who) if pair["excused"] and not pair["replaced"]][:1]
    doctors, managers = scene.cast.active(Side.DOCTOR)[1:], scene.cast.active(Side.MANAGER)[1:]
    number = len(await scene.pairs(who))
    place = number % min(len(doctors), len(managers))
    pair = scene.ids_of((doctors[place], managers[-place - 1]))
    return _only(who, "RePair", replaces=excused, pairs=[pair])


# --- joint sessions ------------------------------------------------------------------------------------------------


async def schedule_session(scene: Scene, who: Player, duty: Duty) -> list[Ask]:
    """Set a date as soon as the programme allows."""
    session = await scene.session(who, duty.about)
    on = await _session_day(scene, who, session)
    return _only(who, duty.command, session=duty.about, starts=_at(on, SESSION_HOUR), place=script.PLACE)


async def move_session(scene: Scene, who: Player, duty: Duty) -> list[Ask]:
    """Keep the distance to the session before."""
    session = await scene.session(who, duty.about)
    on = await _session_day(scene, who, session)
    body = {"session": duty.about, "starts": _at(on, SESSION_HOUR), "place": script.PLACE, "reason": script.MOVED}
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
    return _only(who, duty.command, session=duty.about, comes=comes)


async def _leads(scene: Scene, who: Player) -> bool:
    return who in scene.cast.active(Side.DOCTOR)[:QUORUM] + scene.cast.active(Side.MANAGER)[:QUORUM]


async def record_attendance(scene: Scene, who: Player, duty: Duty) -> list[Ask]:
    """Certify who came: those who said so; to the first session B too few managers."""
    session = await scene.session(who, duty.about)
    came = [scene.who(person) for person, comes in session["replies"].items() if comes]
    doctors, managers = ([one for one in came if one.side is side] for side in Side)
    if session["letter"] == "B" and scene.first_time("inquorate"):
        managers = managers[:FEW]
    doctors, managers = _balanced(doctors, managers)
    voting = scene.ids_of(doctors + managers)
    return _only(who, duty.command, session=duty.about, voting=voting, others=[scene.id_of(who)])


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
    if session["letter"] == "C":
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
    return _only(who, duty.command, session=duty.about, version=session["notes"]["version"])


async def settle_notes(scene: Scene, who: Player, duty: Duty) -> list[Ask]:
    """Let the notes stand with both views."""
    del scene
    views = {"doctors_view": script.DIFFERENCE["doctors"], "managers_view": script.DIFFERENCE["managers"]}
    return _only(who, duty.command, session=duty.about, **views)


# --- agreement -----------------------------------------------------------------------------------------------------


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
    return _only(who, duty.command, version=engagement["compact"]["version"])


async def own_need(scene: Scene, who: Player, duty: Duty) -> list[Ask]:
    """Own a development need; the facilitator finds somebody."""
    owner = who if who.side else scene.owner(Side.MANAGER, len(duty.about))
    return _only(owner, duty.command, need=duty.about)


async def confirm_need(scene: Scene, who: Player, duty: Duty) -> list[Ask]:
    """The facilitator asks somebody of each side who does not own the need."""
    need = next(one for one in await scene.needs(who) if one["id"] == duty.about)
    said = {"need": duty.about, "evidence": script.EVIDENCE}
    return [
        Ask(next(one for one in scene.cast.active(side) if scene.id_of(one) != need["owner"]), duty.command, said)
        for side in Side
        if side not in need["confirmations"]
    ]


# --- delivery ------------------------------------------------------------------------------------------------------


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
    others = (one for one in scene.cast.active(side) if scene.id_of(one) not in owners)
    return _only(who if who.side else next(others), duty.command, action=duty.about, evidence=script.EVIDENCE)


async def other_half(scene: Scene, who: Player, duty: Duty) -> list[Ask]:
    """Give one's half of what takes both co-owners."""
    del scene
    return _only(who, duty.command, action=duty.about)


async def check_in(scene: Scene, who: Player, duty: Duty) -> list[Ask]:
    """Say how it goes: the bed position is stuck for two months, the rest goes well."""
    progress = (
        "on_track" if scene.cast.chance("check-in", who.key, scene.today).random() < script.ON_TRACK else "needs_help"
    )
    line = scene.cast.chance("line", who.key, scene.today).choice(script.PROGRESS_LINES)
    return _only(who, duty.command, about=duty.about, progress=progress, line=line)


async def record_touchpoint(scene: Scene, who: Player, duty: Duty) -> list[Ask]:
    """Both co-owners and a sponsor have met."""
    action = await scene.action(who, duty.about)
    people = [action["doctor_owner"], action["manager_owner"], scene.id_of(scene.cast.having(Role.MEDICAL_SPONSOR))]
    said = {"on": str(scene.today), "attended": people, "summary": script.TOUCHPOINT}
    return _only(who, duty.command, actions=[duty.about], **said)


# --- challenge reviews ---------------------------------------------------------------------------------------------


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
    return _only(who, duty.command, review=duty.about, interests=script.INTERESTS, independent=True)


async def schedule_review(scene: Scene, who: Player, duty: Duty) -> list[Ask]:
    """The planned day, or the first that leaves time for the position statements; never before anything is agreed."""
    if not await scene.delivers():
        return []
    review = await scene.review(who, duty.about)
    ahead = scene.time.plus(scene.today, scene.template.durations.position_statement + 2)
    on = scene.time.plus(max(ahead, date.fromisoformat(review["planned"])), 0)
    return _only(who, duty.command, review=duty.about, starts=_at(on, REVIEW_HOUR), place=script.PLACE)


async def give_position(scene: Scene, who: Player, duty: Duty) -> list[Ask]:
    """Say how one sees what one owns."""
    del scene
    return _only(who, duty.command, review=duty.about, text=script.POSITION)


async def hold_review(scene: Scene, who: Player, duty: Duty) -> list[Ask]:
    """Say who was there; go on without a statement that never came."""
    review = await scene.review(who, duty.about)
    ended = datetime.fromisoformat(review["meeting"]["ends"])
    if scene.now < ended + timedelta(minutes=1):
        return []
    return _only(who, duty.command, review=duty.about, attended=list(review["panel"]), without_statements=True)


async def record_findings(scene: Scene, who: Player, duty: Duty) -> list[Ask]:
    """Write what the panel found, and answer the three questions against complacency."""
    first = scene.first_time("first-findings")
    findings = [{**one, "condition": "C09"} for one in script.FINDINGS["first" if first else "later"]]
    return _only(who, duty.command, review=duty.about, findings=findings, **script.COMPLACENCY)


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
    return _only(who, duty.command, review=duty.about, text=script.EVIDENCE)


def _values(found: Mapping[str, Json] | Iterable[Json]) -> Iterable[Json]:
    return found.values() if isinstance(found, Mapping) else found


# --- renewal -------------------------------------------------------------------------------------------------------


async def decide_renewal(scene: Scene, who: Player, duty: Duty) -> list[Ask]:
    """Say what should come next: in the second round, after the joint meeting, perhaps something else."""
    role = next(role for role in who.roles if role in scene.cast.choices)
    first, then = scene.cast.choices[role]
    choice = then if scene.happened("joint-meeting") else first
    return _only(who, duty.command, choice=choice.value)


async def record_joint_meeting(scene: Scene, who: Player, duty: Duty) -> list[Ask]:
    """Both sponsors and the facilitator have met."""
    scene.first_time("joint-meeting")
    sponsors = (scene.cast.having(role) for role in scene.cast.choices)
    return _only(who, duty.command, attended=scene.ids_of((*sponsors, who)), summary=script.MEETING)


async def settle_undelivered(scene: Scene, who: Player, duty: Duty) -> list[Ask]:
    """Reach somebody by telephone."""
    del scene
    return _only(who, duty.command, message=int(duty.about))


ACTS: Mapping[str, Act] = {
    "AcceptAppointment": accept_appointment,
    "AcceptEnrolment": accept_enrolment,
    "AcceptPanel": accept_panel,
    "AcknowledgeObjection": acknowledge_objection,
    "AddPoints": add_points,
    "AgreeAction": agree_action,
    "AnswerFinding": answer_findings,
    "AnswerInvitation": answer_invitation,
    "AppointToPanel": appoint_panel,
    "ApproveAction": approve_action,
    "CheckIn": check_in,
    "ChooseAfterShortfall": choose_after_shortfall,
    "CloseAction": other_half,
    "CompleteQuestionnaire": complete_questionnaire,
    "ConfirmNeedMet": confirm_need,
    "ConfirmNotes": confirm_notes,
    "ConfirmPairs": confirm_pairs,
    "DecideObjection": decide_objection,
    "DecideRenewal": decide_renewal,
    "DefineMeasure": define_measure,
    "ExplainSignal": explain_signal,
    "GivePositionStatement": give_position,
    "HoldReview": hold_review,
    "MarkReflection": mark_reflection,
    "MoveSession": move_session,
    "OfferInsight": offer_insight,
    "OwnDevelopmentNeed": own_need,
    "RePair": settle_pair,
    "RecordAttendance": record_attendance,
    "RecordFindings": record_findings,
    "RecordJointMeeting": record_joint_meeting,
    "RecordProgressCheck": progress_check,
    "RecordTouchpoint": record_touchpoint,
    "RecordVisit": record_visit,
    "ReportComplete": other_half,
    "ScheduleReview": schedule_review,
    "ScheduleSession": schedule_session,
    "SettleNotes": settle_notes,
    "SettleUndelivered": settle_undelivered,
    "ShareInsight": share_insight,
    "SignCompact": sign_compact,
    "StateWillingness": state_willingness,
    "VerifyAction": verify_action,
    "WithdrawAction": other_half,
    "WriteNotes": write_notes,
    "WriteReflection": write_reflection,
    "WriteThemes": write_themes,
}
"""The command that completes a task -> what is done with it."""
