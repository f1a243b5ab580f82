"""Bank holidays and closures of a trust as a dated snapshot: the only calendar that the core ever sees.

Offline: the days come from the `holidays` package, which knows every day that the government has listed, and beyond
that the days that follow from the rules. A day announced late is a new snapshot, and every deadline follows it.
"""

import hashlib
import json
from collections.abc import Iterable
from datetime import date

from holidays import country_holidays

from programme.working_time import Calendar, Division, Holiday

YEARS = range(2025, 2031)
PUBLISHED_UNTIL = date(2028, 12, 31)  # the end of the government's list; later days are worked out, not announced
_SUBDIVISIONS = {
    Division.ENGLAND_AND_WALES: "ENG",  # Wales keeps the same days
    Division.SCOTLAND: "SCT",
    Division.NORTHERN_IRELAND: "NIR",
}


def snapshot(division: Division, closures: Iterable[Holiday] = ()) -> Calendar:
    """The days on which trusts of a division do not work, with the trust's own closures, in order.

    A closure on a bank holiday keeps the bank holiday's name. The version is a digest of the content: the same days
    have the same version, whoever took the snapshot and when.
    """
    listed = country_holidays("GB", subdiv=_SUBDIVISIONS[division], years=YEARS)
    named = {closure.on: closure.name for closure in closures} | dict(listed.items())
    days = tuple(Holiday(on=on, name=name) for on, name in sorted(named.items()))
    return Calendar(version=_version(division, days), division=division, holidays=days, published_until=PUBLISHED_UNTIL)


def _version(division: Division, days: tuple[Holiday, ...]) -> str:
    content = [division.value, PUBLISHED_UNTIL.isoformat(), *([day.on.isoformat(), day.name] for day in days)]
    return hashlib.sha256(json.dumps(content).encode()).hexdigest()[:16]
