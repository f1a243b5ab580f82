"""What travels to Temporal: small payloads stay readable, large ones are compressed, and earlier ones still load."""

from datetime import UTC, datetime

import pytest
from temporalio.contrib.pydantic import pydantic_data_converter

from programme.engagement import Engagement
from programme.messages import Side
from programme.people import AcceptEnrolment
from runtime.payloads import CONVERTER, ENCODING, LARGE
from tests.core.programme_driver import registered
from workflows.ports import Carried, Submission

STEP = Submission(command_id="1", by="d0", command=AcceptEnrolment(side=Side.DOCTOR, privacy_notice="1"))


async def test_what_a_person_asks_can_be_read_on_temporals_own_page() -> None:
    (payload,) = await CONVERTER.encode([STEP])
    assert b'"kind":"AcceptEnrolment"' in payload.data
    assert (await CONVERTER.decode([payload], [Submission])) == [STEP]


async def test_the_state_that_a_run_hands_on_takes_a_fraction_of_the_room_and_comes_back_whole() -> None:
    carried = Carried(engagement=registered().engagement, recorded=4)
    (payload,) = await CONVERTER.encode([carried])
    (plain,) = await pydantic_data_converter.encode([carried])
    assert payload.metadata["encoding"] == ENCODING
    assert payload.ByteSize() * 3 < plain.ByteSize()
    assert await CONVERTER.decode([payload], [Carried]) == [carried]


@pytest.mark.parametrize("value", ["short", "x" * LARGE, Carried(engagement=Engagement(scope="y" * LARGE))])
async def test_what_an_earlier_build_wrote_still_loads(value: object) -> None:
    written = await pydantic_data_converter.encode([value])
    assert await CONVERTER.decode(written, [type(value)]) == [value]


async def test_several_payloads_keep_their_order() -> None:
    values = ["a", "b" * LARGE, datetime(2026, 1, 5, tzinfo=UTC), "c" * LARGE]
    kinds: list[type] = [type(value) for value in values]
    assert await CONVERTER.decode(await CONVERTER.encode(values), kinds) == values
