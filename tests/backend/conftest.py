"""Fixtures of the API's tests."""

from __future__ import annotations

import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from tests.backend import many_runs


@pytest.fixture
def runs(client: TestClient, app: FastAPI) -> list[many_runs.Facts]:
    """Some runs in the record of the application."""
    assert client
    return many_runs.record(app.state.database)
