"""A broker that is down or hangs is nobody's trouble: the runs are queued, and workers poll."""

from __future__ import annotations

import threading

from fastapi.testclient import TestClient

from backend.app import make_app
from backend.doorbell import WAITING, Doorbell
from depthboard.settings import Settings
from tests.backend import acting
from tests.backend.acting import wait_for
from tests.conftest import BASE_URL


def test_submissions_are_answered_while_the_broker_hangs(settings: Settings) -> None:
    hang, rung = threading.Event(), []

    def wake(run_id: int) -> None:
        rung.append(run_id)
        hang.wait()

    with TestClient(make_app(settings, wake), base_url=BASE_URL) as client:
        for i in range(50):
            acting.submit(client, name=str(i), factors={"seed": [i]})
        assert len(rung) == 1, "the others wait for the broker, and nobody for them"
        assert client.get("/api/runs").json()["total"] == 50
        assert acting.claim(client) is not None
    hang.set()


def test_a_broker_that_is_down_costs_a_line_of_log_and_is_asked_again_the_next_time() -> None:
    asked = []

    def wake(run_id: int) -> None:
        asked.append(run_id)
        raise ConnectionError("no broker")

    bell = Doorbell(wake)
    bell.ring([1, 2, 3])
    bell.start()
    wait_for(lambda: asked == [1], "the first is asked for")
    assert asked == [1], "the broker is left alone with what waited"

    def asked_again() -> bool:
        bell.ring([4])
        return asked[-1] == 4

    wait_for(asked_again, "it is asked again")
    bell.stop()


def test_no_more_rings_wait_than_there_could_be_slots() -> None:
    asked: list[int] = []
    bell = Doorbell(asked.append)
    bell.ring(range(10 * WAITING))
    bell.start()
    wait_for(lambda: asked == list(range(WAITING)), "as many as may wait")
    bell.stop()
