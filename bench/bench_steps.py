"""Steps a second through HTTP, beside a bare Temporal update behind the same kind of endpoint on the same server."""

import statistics
from pathlib import Path

from bench.grounds import (
    CLIENTS,
    Engagement,
    Timing,
    bare_beside,
    bare_step_of,
    bare_workflows,
    burst,
    client_for,
    ground,
    step_of,
)

ENGAGEMENTS = 50
ROUNDS = 4
TWENTY = 20


def _participants(engagement: Engagement) -> list[str]:
    return [email for email in engagement.tokens if email.startswith(("doctor-", "manager-"))]


def _say(what: str, ours: list[Timing], bare: list[Timing]) -> None:
    rates = [mine.rate / theirs.rate for mine, theirs in zip(ours, bare, strict=True)]
    waits = [mine.p50 / theirs.p50 for mine, theirs in zip(ours, bare, strict=True)]
    for mine, theirs in zip(ours, bare, strict=True):
        print(
            f"{what}: {mine.rate:6.1f} steps/s beside {theirs.rate:6.1f} bare;"
            f" p50 {mine.p50 * 1000:5.0f} ms beside {theirs.p50 * 1000:5.0f}; p99 {mine.p99 * 1000:5.0f} ms"
        )
    print(f"{what}: ratio of rates {statistics.median(rates):.2f} (wanted 0.80), of p50 {statistics.median(waits):.2f}")


async def bench_steps(tmp_path: Path) -> None:
    """32 clients over 50 open engagements; then twenty people at once on one, and spread over twenty."""
    async with (
        ground(tmp_path) as place,
        bare_beside(place) as bare_url,
        client_for(place.url) as http,
        client_for(bare_url) as bare_http,
    ):
        engagements = [await place.launch(http, number) for number in range(ENGAGEMENTS)]
        workflows = await bare_workflows(place.client, ENGAGEMENTS)
        await place.rests()
        before = [await place.history_length(one) for one in engagements]
        people = [(one, email) for one in engagements for email in _participants(one)[: 4 * ROUNDS + 12]]
        share = len(people) // ROUNDS
        ours, bare = [], []
        for number in range(ROUNDS):
            now = people[number * share : (number + 1) * share]
            bare.append(
                await burst(bare_http, [bare_step_of(workflows[i % ENGAGEMENTS], e) for i, (_, e) in enumerate(now)])
            )
            ours.append(await burst(http, [step_of(*one) for one in now]))
        after = [await place.history_length(one) for one in engagements]
        print(f"\n{len(people)} steps, {CLIENTS} clients, {ENGAGEMENTS} engagements, {ROUNDS} rounds of each in turn")
        _say("through the front door", ours, bare)
        print(f"history events a step: {sum(b - a for a, b in zip(before, after, strict=True)) / len(people):.2f}")
        others = [await place.launch(http, 1000 + number) for number in range(TWENTY * ROUNDS + ROUNDS)]
        await place.rests()
        await _twenty(place.url, others)


async def _twenty(url: str, engagements: list[Engagement]) -> None:
    ratios = []
    async with client_for(url) as http:
        for number in range(ROUNDS):
            spread = engagements[number * TWENTY : (number + 1) * TWENTY]
            one = engagements[-1 - number]
            apart = await burst(http, [step_of(each, _participants(each)[0]) for each in spread], TWENTY)
            together = await burst(http, [step_of(one, email) for email in _participants(one)[:TWENTY]], TWENTY)
            ratios.append(together.rate / apart.rate)
            print(f"twenty at once on one: {together.rate:6.1f} steps/s; spread over twenty: {apart.rate:6.1f}")
    print(f"ratio: {statistics.median(ratios):.2f} (wanted at least 1)")
