"""The compact: what doctors give, what managers give, and both sponsors' signatures under it.

Its text comes from a joint session whose notes count; another text needs both signatures anew.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime
from typing import TYPE_CHECKING, Literal

from programme.messages import SPONSORS, Command, Event, PersonId, Stage, Task
from programme.part import Asked, Part
from programme.refusals import AlreadyDone, NotYet, VersionMoved
from programme.stages.action import Compact

if TYPE_CHECKING:
    from programme.engagement import Engagement


class SignCompact(Command):
    """Sign this version of the compact, for one's side."""

    who = SPONSORS
    refusals = (NotYet, VersionMoved, AlreadyDone)

    kind: Literal["SignCompact"] = "SignCompact"
    version: int


Commands = SignCompact


class CompactWritten(Event):
    """A joint session has drafted a compact. Earlier signatures do not stand under this text."""

    kind: Literal["CompactWritten"] = "CompactWritten"
    version: int
    doctors_give: tuple[str, ...]
    managers_give: tuple[str, ...]
    on: date


class CompactSigned(Event):
    """A sponsor signed."""

    kind: Literal["CompactSigned"] = "CompactSigned"
    version: int
    sponsor: PersonId
    on: date


Events = CompactWritten | CompactSigned


def sign_compact(engagement: Engagement, command: SignCompact, asked: Asked) -> list[Event]:
    """Take one sponsor's signature; the compact is in force with both."""
    compact = engagement.running.agreement.compact if engagement.cycle else Compact()
    if not compact.version:
        raise NotYet("the joint sessions have not drafted a compact")
    if command.version != compact.version:
        raise VersionMoved(compact.version)
    if asked.by in compact.signatures:
        raise AlreadyDone("you have signed the compact")
    return [CompactSigned(version=compact.version, sponsor=asked.by, on=asked.today)]


def follows(engagement: Engagement, asked: Asked) -> list[Event]:
    """Take over what the joint sessions drafted last."""
    draft = engagement.cycle.sessions.compact if engagement.cycle else None
    if draft is None:
        return []
    held = engagement.running.agreement.compact
    if (held.doctors_give, held.managers_give) == (draft.doctors_give, draft.managers_give):
        return []
    return [
        CompactWritten(
            version=held.version + 1,
            doctors_give=draft.doctors_give,
            managers_give=draft.managers_give,
            on=asked.today,
        )
    ]


def _written(engagement: Engagement, event: CompactWritten, at: datetime) -> Engagement:
    del at
    compact = Compact(
        version=event.version,
        doctors_give=event.doctors_give,
        managers_give=event.managers_give,
        drafted=event.on,
    )
    return _with(engagement, compact)


def _signed(engagement: Engagement, event: CompactSigned, at: datetime) -> Engagement:
    del at
    compact = engagement.running.agreement.compact
    signatures = {**compact.signatures, event.sponsor: event.on}
    return _with(engagement, compact.model_copy(update={"signatures": signatures}))


def _with(engagement: Engagement, compact: Compact) -> Engagement:
    agreement = engagement.running.agreement
    return engagement.in_cycle(agreement=agreement.model_copy(update={"compact": compact}))


def tasks(engagement: Engagement) -> Iterator[Task]:
    """A signature from each sponsor, once the sessions have ended."""
    span = engagement.span(Stage.AGREEMENT)
    if engagement.cycle is None or not engagement.in_stage(Stage.AGREEMENT) or span is None:
        return
    compact = engagement.cycle.agreement.compact
    for sponsor in engagement.sponsors:
        if compact.drafted and not compact.signed_for(sponsor):
            opened = max(compact.drafted, span.started)
            yield Task(
                id=f"{engagement.cycle.number}/agreement/compact-{compact.version}-{opened}/{sponsor}",
                ladder="compact",
                person=sponsor,
                about="compact",
                command="SignCompact",
                title="Sign the compact",
                opened=opened,
                due=engagement.time.due(opened, engagement.template.durations.compact, "it was ready to be signed"),
            )


PART = Part(
    name="compact",
    decide={SignCompact: sign_compact},
    evolve={CompactWritten: _written, CompactSigned: _signed},
    tasks=tasks,
    follows=follows,
)
