"""Datasets: what is registered, registering, deleting."""

from __future__ import annotations

import base64
import binascii
from typing import Annotated

from fastapi import APIRouter, Body, Path, Response

from backend import answers
from backend.deps import PageNumber, PageSize, Reading, Writing
from backend.middleware import IMMUTABLE
from backend.routes.maps import PICTURE
from backend.schemas import DatasetDetail, DatasetEntry, DatasetRegistration, Page
from backend.store import datasets
from depthboard.datasets import ROOMS
from depthboard.errors import DataProblem

router = APIRouter(prefix="/datasets", tags=["datasets"])

Name = Annotated[str, Path(min_length=1, max_length=80)]
PNG = b"\x89PNG\r\n\x1a\n"

EXAMPLE = {
    "report": ROOMS.model_dump(mode="json") | {"name": "my-rooms", "format": "folder", "path": "/data/rooms"},
    "replace": False,
}


@router.get("")
def list_datasets(session: Reading, page: PageNumber = 1, size: PageSize = 50) -> Page[DatasetEntry]:
    """Datasets by name."""
    found, total = datasets.page(session, page, size)
    return Page(items=[answers.dataset_entry(*row) for row in found], total=total, page=page, size=size)


@router.post("", status_code=201)
def register_dataset(
    registration: Annotated[DatasetRegistration, Body(openapi_examples={"folder": {"value": EXAMPLE}})],
    session: Writing,
) -> DatasetEntry:
    """Register a dataset by the report of its check (`depthboard data add` sends it)."""
    datasets.register(session, registration.report, _picture(registration.sheet_png), replace=registration.replace)
    return answers.dataset_entry(*datasets.one(session, registration.report.name))


def _picture(encoded: str | None) -> bytes | None:
    if encoded is None:
        return None
    try:
        data = base64.b64decode(encoded, validate=True)
    except (binascii.Error, ValueError) as error:
        raise DataProblem("the contact sheet is no base64.", field="sheet_png") from error
    if not data.startswith(PNG):
        raise DataProblem("the contact sheet is no PNG picture.", field="sheet_png")
    return data


@router.get("/{name}")
def get_dataset(name: Name, session: Reading) -> DatasetDetail:
    """One dataset with the report of its check, and the experiments that use it."""
    return answers.dataset_detail(*datasets.one(session, name), datasets.experiments_on(session, name))


@router.get("/{name}/sheet", response_class=Response, responses=PICTURE)
def get_sheet(name: Name, session: Reading) -> Response:
    """The contact sheet."""
    return Response(datasets.sheet(session, name), media_type="image/png", headers={"Cache-Control": IMMUTABLE})


@router.delete("/{name}", status_code=204)
def delete_dataset(name: Name, session: Writing) -> None:
    """Forget a dataset that no run refers to. Its files stay."""
    datasets.remove(session, name)
