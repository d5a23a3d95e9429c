"""Many at once: nobody waits for somebody who waits for him."""

from __future__ import annotations

import threading
import time

import httpx2
import pytest

from tests.backend import acting

CLIENTS = 48


def test_more_clients_than_threads_write_and_read_at_once_and_none_is_turned_away(api: str) -> None:
    """Threads that wait for the one writing connection must leave some for whoever holds it to answer."""
    with httpx2.Client(base_url=api, timeout=60, trust_env=False) as client:
        experiment = acting.submit(client, factors={"loss": ["l1"], "seed": list(range(CLIENTS))})
    failures: list[str] = []

    def work(number: int) -> None:
        try:
            with httpx2.Client(base_url=api, timeout=60, trust_env=False) as client:
                attempt = acting.claimed(client, worker=f"worker-{number:04d}")
                attempt.points(range(1, 11))
                assert client.get(attempt.path).status_code == 200
                assert attempt.finish().status_code == 204
        except (AssertionError, httpx2.HTTPError) as error:
            failures.append(repr(error))

    threads = [threading.Thread(target=work, args=(i,)) for i in range(CLIENTS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    with httpx2.Client(base_url=api, timeout=60, trust_env=False) as client:
        assert client.get(f"/api/experiments/{experiment['id']}").json()["counts"]["finished"] == CLIENTS


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_kept_connection_answers_without_waiting_for_the_networks_acknowledgement(api: str) -> None:
    """Without TCP_NODELAY every answer on a kept connection takes 40 ms and more; the quickest of many shows it."""
    with httpx2.Client(base_url=api, timeout=10, trust_env=False) as client:
        times = []
        for _ in range(30):
            began = time.perf_counter()
            assert client.get("/api/health").status_code == 200
            times.append(time.perf_counter() - began)
    assert min(times) < 0.02
