"""Raw depth and pictures. Nothing here ever changes under its address, so browsers keep it."""

from __future__ import annotations

import struct
import zlib
from typing import Annotated, Any

import orjson
from fastapi import APIRouter, Header, Query, Response

from backend.deps import Id, Reading
from backend.middleware import IMMUTABLE
from backend.store import predictions

router = APIRouter(tags=["maps"])

OCTETS = "application/octet-stream"
Responses = dict[int | str, dict[str, Any]]
BINARY = {"schema": {"type": "string", "format": "binary"}}
DEPTH: Responses = {200: {"content": {OCTETS: BINARY}, "description": "uint16 millimetres"}}
BUNDLE: Responses = {200: {"content": {OCTETS: BINARY}, "description": "maps in one piece"}}
PICTURE: Responses = {200: {"content": {"image/png": BINARY}, "description": "PNG"}}
MOST_MAPS = 1000
# Method deflate, no flags, no time, unknown system (RFC 1952).
GZIP_HEADER = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff"
HEADERS = {"Cache-Control": IMMUTABLE, "Vary": "Accept-Encoding"}

Encodings = Annotated[str, Header(alias="Accept-Encoding", include_in_schema=False)]


@router.get("/predictions/{id}", response_class=Response, responses=DEPTH)
def get_prediction(prediction_id: Id, session: Reading, accepted: Encodings = "") -> Response:
    """A predicted depth map: little-endian uint16 millimetres, row by row, 0 = not finite."""
    return depth_response(predictions.packed(session, prediction_id), accepted)


@router.get("/predictions", response_class=Response, responses=BUNDLE)
def get_predictions(
    session: Reading,
    prediction_ids: Annotated[list[int], Query(alias="id", min_length=1, max_length=MOST_MAPS)],
) -> Response:
    """Predicted depth maps in one answer, in the order asked for.

    Four bytes, the length of what follows as a little-endian integer; as JSON a list of {id, height, width, bytes}; then
    the maps, each a zlib stream of so many bytes, holding what the single address of the map gives.
    """
    maps = predictions.packed_several(session, prediction_ids)
    header = orjson.dumps(
        [{"id": m.id, "height": m.height, "width": m.width, "bytes": len(m.depth)} for m in maps],
    )
    body = b"".join([struct.pack("<I", len(header)), header, *(m.depth for m in maps)])
    return Response(body, media_type=OCTETS, headers={"Cache-Control": IMMUTABLE, "Content-Encoding": "identity"})


@router.get("/frames/{id}/depth", response_class=Response, responses=DEPTH)
def get_frame_depth(frame_id: Id, session: Reading, accepted: Encodings = "") -> Response:
    """Ground truth of a sample frame: little-endian uint16 millimetres, row by row, 0 = invalid."""
    return depth_response(predictions.truth(session, frame_id), accepted)


@router.get("/frames/{id}/rgb", response_class=Response, responses=PICTURE)
def get_frame_rgb(frame_id: Id, session: Reading) -> Response:
    """RGB of a sample frame."""
    return Response(predictions.picture(session, frame_id), media_type="image/png", headers=HEADERS)


def depth_response(packed: bytes, accepted: str) -> Response:
    """The stored zlib stream as gzip for who takes it: the same deflate data in another envelope, compressed once."""
    raw = zlib.decompress(packed)
    if "gzip" not in accepted.lower():
        return Response(raw, media_type=OCTETS, headers=HEADERS)
    body = GZIP_HEADER + packed[2:-4] + struct.pack("<II", zlib.crc32(raw), len(raw) & 0xFFFFFFFF)
    return Response(body, media_type=OCTETS, headers={**HEADERS, "Content-Encoding": "gzip"})
