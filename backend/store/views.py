"""Views of the dashboard that people saved under a name."""

from __future__ import annotations

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from backend.store.session import clock
from backend.store.tables import Experiment, SavedView
from depthboard.errors import Conflict, NotFound

MOST = 500


def every(session: Session) -> list[SavedView]:
    """By name; those of experiments in the trash wait there with them."""
    kept = or_(SavedView.experiment_id.is_(None), Experiment.deleted_at.is_(None))
    query = select(SavedView).outerjoin(Experiment, Experiment.id == SavedView.experiment_id).where(kept)
    return list(session.scalars(query.order_by(func.lower(SavedView.name), SavedView.id)))


def get(session: Session, view_id: int) -> SavedView:
    """Raises NotFound."""
    view = session.get(SavedView, view_id)
    if view is None:
        raise NotFound(f"there is no saved view {view_id}.", field="id")
    return view


def add(session: Session, name: str, experiment_id: int | None, path: str, search: str) -> SavedView:
    """Raises NotFound for the experiment, Conflict for a name that is taken there, and for one view too many."""
    if experiment_id is not None and session.get(Experiment, experiment_id) is None:
        raise NotFound(f"there is no experiment {experiment_id}.", field="experiment_id")
    if (session.scalar(select(func.count()).select_from(SavedView)) or 0) >= MOST:
        raise Conflict(f"there are {MOST} saved views already.", remedy="Delete those that nobody opens.")
    _check_free(session, name, experiment_id)
    view = SavedView(name=name, experiment_id=experiment_id, path=path, search=search, created_at=clock(session))
    session.add(view)
    session.flush()
    return view


def change(session: Session, view_id: int, *, name: str | None, path: str | None, search: str | None) -> SavedView:
    """Raises NotFound, Conflict for a name that is taken."""
    view = get(session, view_id)
    if name is not None and name != view.name:
        _check_free(session, name, view.experiment_id)
        view.name = name
    if path is not None:
        view.path = path
    if search is not None:
        view.search = search
    session.flush()
    return view


def remove(session: Session, view_id: int) -> SavedView:
    """What was removed: adding it again takes that back. Raises NotFound."""
    view = get(session, view_id)
    session.delete(view)
    return view


def _check_free(session: Session, name: str, experiment_id: int | None) -> None:
    where = SavedView.experiment_id.is_(None) if experiment_id is None else SavedView.experiment_id == experiment_id
    if session.scalar(select(SavedView.id).where(SavedView.name == name, where)) is not None:
        raise Conflict(f"a view is called {name!r} already.", field="name", remedy="Choose another name.")
