"""The people of a rehearsal, and how they differ: some are prompt, some late, some never answer. A seed decides who.

Names, addresses and organisation codes are invented. Everything about the cast follows from the seed and the numbers of
doctors and managers, so the same seed rehearses the same year.
"""

import random
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from enum import StrEnum

from cli.tokens import DEVELOPER
from programme.messages import Role, Side
from programme.stages.renewal import NextStep

TRUST, OTHER_TRUST = "Z9Z9Z", "Y9Y9Y"  # invented: no organisation has these codes
MOST = 200  # of a side
FEWEST = 8  # of a side: below that the programme shows no figures, by its own hard limit
K, ABOVE_K = 11, 5  # the usual threshold, and how many more than it are invited before it may apply

_FIRST = """
Amina Ben Carys Dev Elin Femi Grace Hamish Ines Jonas Kofi Leila Maeve Nikhil Olu Petra Quentin Rhona Sanjay Tess
"""
_LAST = """
Abbot Bancroft Cader Dunmore Eastwick Fernhill Garside Holloway Ingleby Jessop Kearton Lomax Marsden Nettleton Ormerod
Pickersgill Quarmby Ramsden Sugden Thackray Umpleby Verity Winterburn Yeadon Ackroyd Barraclough Crowther Denholm
Earnshaw Firth Greenwood Haigh Illingworth Jagger Kershaw Lockwood Midgley Naylor Oldroyd Priestley
"""


class Pace(StrEnum):
    """When somebody does what they owe."""

    PROMPT = "prompt"  # within two working days
    STEADY = "steady"  # within a week
    LATE = "late"  # after it was due, where that is still possible
    SILENT = "silent"  # joins, and then never answers
    DECLINES = "declines"  # does not join


@dataclass(frozen=True, slots=True)
class Player:
    """Somebody in the rehearsal. ``key`` is the same in every rehearsal with these numbers; ids are not."""

    key: str
    name: str
    email: str
    roles: tuple[Role, ...] = ()
    side: Side | None = None
    pace: Pace = Pace.PROMPT
    line_manager: str = ""  # an e-mail address
    dual_role: bool = False
    gmc_registered: bool = False
    ods_code: str = ""

    @property
    def row(self) -> dict[str, str]:
        """The person's line in the roster."""
        return {
            "name": self.name,
            "email": self.email,
            "side": self.side.value if self.side else "",
            "roles": ";".join(role.value for role in self.roles),
            "dual_role": "yes" if self.dual_role else "",
            "line_manager": self.line_manager,
            "gmc_registered": "yes" if self.gmc_registered else "",
            "ods_code": self.ods_code,
        }


@dataclass(frozen=True)
class Cast:
    """Everybody, in the order in which they act on the same day, and how the story ends.

    k: the threshold of this engagement, as high as its numbers allow. choices: what each sponsor wants at the end, in
    the first round and after a joint meeting. willing: whether the managerial sponsor wants to begin at all.
    """

    seed: int
    k: int
    players: tuple[Player, ...]
    choices: dict[Role, tuple[NextStep, NextStep]] = field(default_factory=dict)
    willing: bool = True

    def having(self, role: Role) -> Player:
        """Who has a part, of which there is one."""
        return next(player for player in self.players if role in player.roles)

    def of(self, side: Side) -> tuple[Player, ...]:
        """The participants of a side, the leading one first."""
        return tuple(player for player in self.players if player.side is side)

    def active(self, side: Side) -> tuple[Player, ...]:
        """The participants of a side on whom one can count."""
        return tuple(player for player in self.of(side) if player.pace in {Pace.PROMPT, Pace.STEADY})

    def chance(self, *about: object) -> random.Random:
        """A source of chance of its own for each matter, so that one decision never shifts another."""
        return random.Random("/".join(map(str, (self.seed, *about))))  # noqa: S311 - a story, no secret


ENDINGS = (
    (NextStep.RENEW, NextStep.RENEW),
    (NextStep.RENEW, NextStep.RENEW),
    (NextStep.RENEW, NextStep.RENEW),
    (NextStep.SUSTAIN, NextStep.SUSTAIN),
    (NextStep.CLOSE, NextStep.CLOSE),
    (NextStep.RENEW, NextStep.CLOSE),  # they differ, meet, and agree to renew
)
"""What the two sponsors want, the medical one first; seed 1 renews. The seed after the last of them is not ready."""


def cast(seed: int, doctors: int, managers: int) -> Cast:
    """Everybody in a rehearsal with these numbers."""
    chance = random.Random(seed)  # noqa: S311 - a story, no secret
    names = _names(chance)
    k = threshold(min(doctors, managers))
    leaders = tuple(_leaders(names))
    sides = [
        player
        for side, number in ((Side.DOCTOR, doctors), (Side.MANAGER, managers))
        for player in _side(side, number, k, names, chance)
    ]
    story = (seed - 1) % (len(ENDINGS) + 1)
    wants = ENDINGS[story % len(ENDINGS)]
    sponsors = (Role.MEDICAL_SPONSOR, Role.MANAGERIAL_SPONSOR)
    choices = {role: (want, wants[0]) for role, want in zip(sponsors, wants, strict=True)}
    return Cast(seed, k, (*leaders, *sides), choices, willing=story < len(ENDINGS))


def threshold(smaller_side: int) -> int:
    """The k of a cast: the usual 11 where a few may stay silent, less (never below 8) in a smaller one."""
    return max(FEWEST, min(K, smaller_side - ABOVE_K))


def _names(chance: random.Random) -> Iterator[str]:
    first, last = _FIRST.split(), _LAST.split()
    chance.shuffle(first)
    surnames = [f"{one}{suffix}" for suffix in ("", *(f"-{other}" for other in last)) for one in last]
    return (f"{first[place % len(first)]} {surname}" for place, surname in enumerate(surnames))


def _leaders(names: Iterator[str]) -> Iterator[Player]:
    """Whoever belongs to neither side."""
    name, email = DEVELOPER  # so that `olive up` on the same folder shows the rehearsed year with its own token
    yield Player("programme-manager", name, email, (Role.PROGRAMME_MANAGER,))
    single = {
        "medical-sponsor": Role.MEDICAL_SPONSOR,
        "managerial-sponsor": Role.MANAGERIAL_SPONSOR,
        "facilitator": Role.FACILITATOR,
        "medical-approver": Role.MEDICAL_APPROVER,
        "deputy-approver": Role.DEPUTY_APPROVER,
        "steward": Role.MEASURE_STEWARD,
        "data-protection": Role.DATA_PROTECTION_CONTACT,
    }
    for key, role in single.items():
        gmc = role in {Role.MEDICAL_APPROVER, Role.DEPUTY_APPROVER, Role.MEDICAL_SPONSOR}
        yield _player(key, next(names), (role,), gmc_registered=gmc)
    for number in range(1, 4):
        yield _player(f"challenger-{number}", next(names), (Role.INTERNAL_CHALLENGER,), gmc_registered=number == 1)
    outside = _player("outside-challenger", next(names), (Role.EXTERNAL_CHALLENGER,), ods_code=OTHER_TRUST)
    yield replace(outside, pace=Pace.STEADY)
    yield _player("auditor", next(names), (Role.AUDITOR,))


def _player(
    key: str, name: str, roles: tuple[Role, ...] = (), *, gmc_registered: bool = False, ods_code: str = ""
) -> Player:
    return Player(key, name, f"{key}@example.org", roles, gmc_registered=gmc_registered, ods_code=ods_code)


def _side(side: Side, number: int, k: int, names: Iterator[str], chance: random.Random) -> Iterator[Player]:
    """One side: everybody's manager in the line is its first person, who also wears two hats."""
    paces = _paces(number, k, chance)
    lead = f"{side.value}-1@example.org"
    for place, pace in enumerate(paces, start=1):
        player = _player(f"{side.value}-{place}", next(names), gmc_registered=side is Side.DOCTOR)
        first = place == 1
        yield replace(
            player, side=side, pace=pace, line_manager="" if first else lead, dual_role=first and side is Side.DOCTOR
        )


def _paces(number: int, k: int, chance: random.Random) -> list[Pace]:
    """The first of a side can be relied on, so that there are co-owners; of the rest only as many fail as k allows."""
    reliable = 4
    spare = number - k
    uncommon = [Pace.SILENT] * min(2, spare // 2) + [Pace.DECLINES] * (spare > 3) + [Pace.LATE] * (number // 5)  # noqa: PLR2004
    rest = (uncommon + [chance.choice((Pace.PROMPT, Pace.STEADY)) for _ in range(number)])[: number - reliable]
    chance.shuffle(rest)
    return [chance.choice((Pace.PROMPT, Pace.STEADY)) for _ in range(reliable)] + rest
