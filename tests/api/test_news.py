"""What both sides were told is read behind the link of a message, by those whom it was for."""

from datetime import datetime
from pathlib import Path

from programme.messages import Stage
from programme.telling import TellParticipants
from tests.api.recorded import recorded
from tests.core.programme_driver import MEDICAL, PM, begun


async def test_everybody_inside_reads_what_both_sides_were_told_the_latest_first(tmp_path: Path) -> None:
    programme = begun(Stage.DELIVERY)
    for text in ("The library is closed", "The library is open again"):
        programme.do(TellParticipants(text=text), PM)
    async with recorded(programme, tmp_path) as read:
        found = (await read.get("d0", "news")).json()
        assert [one["text"] for one in found] == ["The library is open again", "The library is closed"]
        assert all(datetime.fromisoformat(one["at"]).tzinfo for one in found)
        for reader in ("m0", MEDICAL, PM):
            assert (await read.get(reader, "news")).json() == found


async def test_nobody_outside_reads_it(tmp_path: Path) -> None:
    programme = begun(Stage.DELIVERY)
    programme.do(TellParticipants(text="The library is closed"), PM)
    async with recorded(programme, tmp_path) as read:
        refused = await read.get("stranger", "news")
        assert (refused.status_code, refused.json()["code"]) == (404, "NoSuchEngagement")
