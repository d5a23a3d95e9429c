"""Views of the dashboard that people saved under a name."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter
from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from backend.deps import Id, Reading, Writing
from backend.schemas import SavedViewEntry
from backend.store import views
from backend.store.types import INT64

router = APIRouter(prefix="/views", tags=["views"])


def _on_one_line(text: str) -> str:
    if not text.strip() or any(ord(c) < 32 for c in text):
        raise ValueError("it needs visible characters on one line")
    return text.strip()


def _of_this_host(path: str) -> str:
    """`//other.host` and `/\\other.host` would lead away from this one."""
    if not path.startswith("/") or path[1:2] in ("/", "\\") or any(ord(c) < 33 for c in path):
        raise ValueError("it must be a page of this dashboard and begin with one slash")
    return path


def _search(text: str) -> str:
    if (text and not text.startswith("?")) or any(ord(c) < 33 for c in text):
        raise ValueError("it must be empty or begin with a question mark, and hold no spaces")
    return text


Name = Annotated[str, Field(min_length=1, max_length=200), AfterValidator(_on_one_line)]
Path = Annotated[str, Field(min_length=1, max_length=500), AfterValidator(_of_this_host)]
Search = Annotated[str, Field(max_length=8000), AfterValidator(_search)]


class NewView(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {
                    "name": "GAN and L1",
                    "experiment_id": 1,
                    "path": "/experiments/1/convergence",
                    "search": "?metric=mae",
                }
            ]
        },
    )

    name: Name
    experiment_id: Annotated[int, Field(ge=1, le=INT64)] | None = None
    path: Path
    search: Search = ""


class ViewChange(BaseModel):
    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"name": "GAN against L1, 230k"}]})

    name: Name | None = None
    path: Path | None = None
    search: Search | None = None


@router.get("")
def list_views(session: Reading) -> list[SavedViewEntry]:
    """All saved views, by name."""
    return [SavedViewEntry.model_validate(view) for view in views.every(session)]


@router.post("", status_code=201)
def save_view(view: NewView, session: Writing) -> SavedViewEntry:
    """Save a page of the dashboard with its view state under a name, which is free in its experiment or among those of none."""
    return SavedViewEntry.model_validate(views.add(session, view.name, view.experiment_id, view.path, view.search))


@router.patch("/{id}")
def change_view(view_id: Id, change: ViewChange, session: Writing) -> SavedViewEntry:
    """Rename a saved view, or let it show something else."""
    return SavedViewEntry.model_validate(views.change(session, view_id, **change.model_dump()))


@router.delete("/{id}")
def delete_view(view_id: Id, session: Writing) -> SavedViewEntry:
    """Delete a saved view; the answer is what it was, so that it can be saved again."""
    return SavedViewEntry.model_validate(views.remove(session, view_id))
