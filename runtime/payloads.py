"""How payloads travel to Temporal and stand in its histories: small ones as readable JSON, large ones compressed.

A launch, a long tail and the state that one run hands to the next are tens of kilobytes of repeating names. Temporal
keeps them for years, and a worker holds them in memory, several times over, for as long as it holds the engagement.
"""

import zlib
from collections.abc import Sequence

from temporalio.api.common.v1 import Payload
from temporalio.contrib.pydantic import PydanticPayloadConverter
from temporalio.converter import CompositePayloadConverter, DataConverter, PayloadCodec

LARGE = 4096  # bytes; what people do is far below it, so its payloads stay readable on Temporal's own page
ENCODING = b"binary/zlib"


class LargeOnesCompressed(PayloadCodec):
    """Compresses what is large. Reads both, so that histories of earlier builds still load."""

    async def encode(self, payloads: Sequence[Payload]) -> list[Payload]:
        """On the way out."""
        return [_compressed(payload) if len(payload.data) >= LARGE else payload for payload in payloads]

    async def decode(self, payloads: Sequence[Payload]) -> list[Payload]:
        """On the way in."""
        return [_whole(payload) if payload.metadata.get("encoding") == ENCODING else payload for payload in payloads]


def _compressed(payload: Payload) -> Payload:
    return Payload(metadata={"encoding": ENCODING}, data=zlib.compress(payload.SerializeToString()))


def _whole(payload: Payload) -> Payload:
    return Payload.FromString(zlib.decompress(payload.data))


_PYDANTIC = PydanticPayloadConverter()


class Pydantic(CompositePayloadConverter):
    """Temporal's converter for pydantic, of which the SDK makes one for each task of a workflow.

    They share what never changes and costs time and memory to make: serializers, and the types that were read before.
    """

    def __init__(self) -> None:
        """Share."""
        self.converters = _PYDANTIC.converters


CONVERTER = DataConverter(payload_converter_class=Pydantic, payload_codec=LargeOnesCompressed())
"""What every client, worker and replay of ours speaks."""
