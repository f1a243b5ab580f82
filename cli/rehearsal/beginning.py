"""What people do to begin: join, answer the questionnaire, and exchange places."""

from cli.rehearsal import script
from cli.rehearsal.cast import Pace, Player
from cli.rehearsal.front_door import Json
from cli.rehearsal.scene import Ask, Duty, Scene, only
from programme.messages import Role, Side

# --- mandate and diagnosis -------------------------------------------------------------------------------------------


async def accept_enrolment(scene: Scene, who: Player, duty: Duty) -> list[Ask]:
    """Join one's side, or not."""
    del scene
    if who.pace is Pace.DECLINES:
        return only(who, "DeclineEnrolment")
    side = who.side.value if who.side else ""
    return only(who, duty.command, side=side, privacy_notice=script.PRIVACY_NOTICE)


async def accept_appointment(scene: Scene, who: Player, duty: Duty) -> list[Ask]:
    """Accept the part that was offered, with a declaration."""
    del scene
    return only(who, duty.command, role=duty.about, interests=script.INTERESTS)


async def state_willingness(scene: Scene, who: Player, duty: Duty) -> list[Ask]:
    """Say whether one is willing."""
    willing = scene.cast.willing or Role.MEDICAL_SPONSOR in who.roles
    answer = "willing" if willing else "not_willing"
    return only(who, duty.command, answer=answer, can_give=script.CAN_GIVE if willing else "", need=script.NEED)


async def define_measure(scene: Scene, who: Player, duty: Duty) -> list[Ask]:
    """Define every measure of the story, and set the target of the first."""
    defined = [Ask(who, duty.command, dict(measure)) for measure in script.MEASURES]
    return [*defined, Ask(who, "SetTarget", {**script.TARGET, "since": str(scene.today)})]


async def add_points(scene: Scene, who: Player, duty: Duty) -> list[Ask]:
    """Load a baseline, or the month that has ended."""
    measure = await scene.measure(who, duty.about)
    known = [reading["period"] for reading in measure["readings"]]
    chance = scene.cast.chance("points", duty.about, scene.today)
    if not known:
        points = script.baseline(duty.about, scene.today, chance)
    else:
        points = script.since(duty.about, known, scene.today, chance, improved=scene.happened("improved"))
    return only(who, duty.command, measure=duty.about, points=points) if points else []


async def complete_questionnaire(scene: Scene, who: Player, duty: Duty) -> list[Ask]:
    """Answer as one's side sees it."""
    chance = scene.cast.chance("answers", who.key, duty.about)
    side = who.side or Side.DOCTOR
    ratings = script.ratings(scene.form, side, chance, again=duty.about != "diagnosis")
    comments = [script.COMMENT] if chance.random() < script.COMMENTING else []
    return only(who, duty.command, answers={"ratings": ratings, "comments": comments})


async def write_themes(scene: Scene, who: Player, duty: Duty) -> list[Ask]:
    """Write what several people said."""
    del scene
    return only(who, duty.command, themes=[{"text": script.THEME, "sources": 4}])


async def choose_after_shortfall(scene: Scene, who: Player, duty: Duty) -> list[Ask]:
    """Ask again, once; after that be content with what both sides say together."""
    again = scene.first_time(f"reopened-{duty.about}")
    return only(who, duty.command, choice="reopen" if again else "combined")


# --- perspective exchange --------------------------------------------------------------------------------------------


async def confirm_pairs(scene: Scene, who: Player, duty: Duty) -> list[Ask]:
    """Confirm what the system proposes."""
    del scene
    return only(who, duty.command)


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
    return only(who, duty.command, pair=duty.about, words=words)


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
    return only(who, duty.command, pair=duty.about, words=script.INSIGHT, share=True)


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
    return only(who, "ExcusePair", pair=duty.about, reason="no_common_time")


async def _further_pairs(scene: Scene, who: Player) -> list[Ask]:
    """Bring together people on whom one can count, in place of a pair that was excused."""
    excused = [pair["id"] for pair in await scene.pairs(who) if pair["excused"] and not pair["replaced"]][:1]
    doctors, managers = scene.active(Side.DOCTOR)[1:], scene.active(Side.MANAGER)[1:]
    number = len(await scene.pairs(who))
    place = number % min(len(doctors), len(managers))
    pair = scene.ids_of((doctors[place], managers[-place - 1]))
    return only(who, "RePair", replaces=excused, pairs=[pair])
