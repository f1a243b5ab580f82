"""What people do when somebody goes: name a successor, take over, stand by what was agreed."""

from cli.rehearsal import script
from cli.rehearsal.cast import Player
from cli.rehearsal.scene import Ask, Duty, Scene, only
from programme.messages import PARTICIPANTS, Role, Side


def part_of(duty: Duty) -> Role:
    """The part that is handed over: ``handover/accept-1-doctor-1/<person>`` names it."""
    return Role(duty.id.split("/")[1].split("-")[2])


async def name_successor(scene: Scene, who: Player, duty: Duty) -> list[Ask]:
    """One of those of the same side on whom one can count, and who stay; for other parts nobody yet."""
    role = part_of(duty)
    if role not in PARTICIPANTS:
        return []
    successor = scene.id_of(scene.owner(Side(role.value), 1))
    return only(who, duty.command, person=duty.about, role=role.value, successor=successor)


async def accept_handover(scene: Scene, who: Player, duty: Duty) -> list[Ask]:
    """Take the part over."""
    del scene
    return only(who, duty.command, person=duty.about, role=part_of(duty).value, interests=script.INTERESTS)


async def accept_ownership(scene: Scene, who: Player, duty: Duty) -> list[Ask]:
    """Stand by what the earlier co-owner's side agreed."""
    del scene
    return only(who, duty.command, action=duty.about)
