"""Health, and what there is to choose from: losses, encoders, metrics, figures, presets, formats."""

from __future__ import annotations

from fastapi import APIRouter, Request

from backend.catalogue import build
from backend.deps import SettingsOf
from backend.schemas import Catalogue, Health
from depthboard import __version__
from depthboard.experiment import TRAINING_VERSION

router = APIRouter(tags=["catalogue"])


@router.get("/health")
def health(request: Request, settings: SettingsOf) -> Health:
    """Whether the API and its database answer."""
    broker = settings.broker_url.get_secret_value()
    return Health(
        status="ok",
        version=__version__,
        training_version=TRAINING_VERSION,
        database=request.app.state.database.describe(),
        broker=broker.partition("://")[0] if broker else "embedded",
    )


@router.get("/catalogue")
def catalogue() -> Catalogue:
    """What an experiment can be made of; the forms are built from the JSON Schemas in it."""
    return build()
