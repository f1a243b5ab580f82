"""Forecasts beside the event loop: one at a time in a thread of its own, and each question answered once.

A forecast is half a second of processor time. Everybody who asks the same of the same version on the same day gets the
same answer, so what was worked out is kept for as long as the version stands.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Hashable
from datetime import date

from programme.engagement import Engagement
from programme.forecasting.course import ACTS_AT
from programme.forecasting.moves import Moves
from programme.forecasting.outlook import Forecast, forecast
from programme.working_time import at_local

KEPT = 200


class Foresight:
    """The forecasts that were asked for last."""

    def __init__(self) -> None:
        self._kept: OrderedDict[Hashable, Forecast] = OrderedDict()
        self._one_at_a_time = asyncio.Semaphore()

    async def ask(self, engagement: Engagement, on: date, moves: Moves, *, seed: int, hours: int) -> Forecast:
        """The forecast of an engagement as it stands on a day.

        Raises Invalid, EngagementEnded.
        """
        key = engagement.id, engagement.sequence, engagement.digest, on, moves, seed, hours
        async with self._one_at_a_time:
            found = self._kept.pop(key, None)
            if found is None:
                at = at_local(on, ACTS_AT)
                found = await asyncio.to_thread(forecast, engagement, at, moves, seed=seed, hours=hours)
            self._kept[key] = found
            if len(self._kept) > KEPT:
                self._kept.popitem(last=False)
        return found
