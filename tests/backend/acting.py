"""Acting as a researcher and as a worker on the API."""

from __future__ import annotations

import base64
import io
import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import numpy as np
from fastapi import FastAPI
from httpx2 import Client
from PIL import Image
from sqlalchemy import update

from backend.store.session import clock
from backend.store.tables import Run
from depthboard.experiment import TRAINING_VERSION
from depthboard.metrics import SUMS
from depthboard.protocol import pack_depth

HEIGHT, WIDTH = 64, 96
PROTOCOL = "none-0.001-10m-64x96-v2"
FRAMES = ("000.png", "063.png")

SPEC: dict[str, Any] = {
    "name": "two losses",
    "base": {"data": {"dataset": "rooms", "train_size": 16}, "budget": {"images_seen": 160, "batch_size": 8}},
    "factors": {"loss": ["l1", "eigen"]},
}


ERROR_KEYS = {"code", "message", "field", "remedy", "request_id"}


def error_of(answer: Any) -> dict[str, Any]:
    """The error of an answer, after a look at its shape."""
    error = answer.json()["error"]
    assert set(error) - {"others"} == ERROR_KEYS
    assert error["request_id"] == answer.headers["x-request-id"]
    return dict(error)


def spec(**changes: Any) -> dict[str, Any]:
    return {**SPEC, **changes}


def submit(client: Client, **changes: Any) -> dict[str, Any]:
    answer = client.post("/api/experiments", json=spec(**changes))
    assert answer.status_code == 201, answer.text
    return dict(answer.json())


def runs_of(client: Client, experiment: dict[str, Any], **query: Any) -> list[dict[str, Any]]:
    answer = client.get(f"/api/experiments/{experiment['id']}/runs", params={"size": 1000, **query})
    assert answer.status_code == 200, answer.text
    return list(answer.json()["items"])


@dataclass
class Attempt:
    """A claimed run, written to as a worker does."""

    client: Client
    claim: dict[str, Any]
    seq: int = 0

    @property
    def run_id(self) -> int:
        return int(self.claim["run_id"])

    @property
    def path(self) -> str:
        return f"/api/runs/{self.run_id}"

    def send(self, what: str, body: Any, method: str = "POST") -> Any:
        headers = {"Authorization": f"Bearer {self.claim['token']}", "Content-Type": "application/json"}
        return self.client.request(method, f"{self.path}/{what}", content=json.dumps(body), headers=headers)

    def ok(self, what: str, body: Any, method: str = "POST") -> Any:
        answer = self.send(what, body, method)
        assert answer.status_code in (200, 204), answer.text
        return answer.json() if answer.content else None

    def renew(self, step: int | None = None, speed: float = 100.0) -> Any:
        return self.ok(
            "renewals", {"progress": {"step": step, "images_per_second": speed} if step is not None else None}
        )

    def points(self, steps: range, key: str = "train/loss/l1", value: Any = None) -> int:
        last = int(self.ok("points", points(self.seq, steps, key, value))["last_seq"])
        self.seq = last + 1
        return last

    def evaluate(self, step: int, error: float = 0.5, **changes: Any) -> Any:
        return self.ok("evaluations", evaluation(step, error, **changes))

    def frames(self) -> None:
        self.ok("frames", [frame(name, i) for i, name in zip((0, 63), FRAMES, strict=True)], "PUT")

    def predict(self, step: int, metres: float = 2.0) -> None:
        self.ok("predictions", [prediction(step, name, metres) for name in FRAMES])

    def checkpoint(self, step: int) -> None:
        self.ok("checkpoints", {"step": step, "path": f"/tmp/{step}.pt", "sha256": f"{step:064x}", "bytes": 10})

    def finish(self, status: str = "finished", reason: str = "", **more: Any) -> Any:
        return self.send("finish", {"status": status, "reason": reason, "exit_code": 0, **more})


def points(first_seq: int, steps: range, key: str = "train/loss/l1", value: Any = None) -> dict[str, Any]:
    """A batch of one key; 1/step where no value is given."""
    values = [1.0 / step if value is None else value for step in steps]
    block = {"keys": [key], "steps": list(steps), "walls": [1e9 + step for step in steps], "values": values}
    return {"first_seq": first_seq, "blocks": [block]}


def claim(client: Client, worker: str = "worker-0001", **changes: Any) -> Attempt | None:
    body = {"worker_id": worker, "host": "here", "training_version": TRAINING_VERSION, **changes}
    answer = client.post("/api/claims", json=body)
    assert answer.status_code in (200, 204), answer.text
    return Attempt(client, answer.json()) if answer.status_code == 200 else None


def claimed(client: Client, **changes: Any) -> Attempt:
    attempt = claim(client, **changes)
    assert attempt is not None
    return attempt


def packed(array: Any) -> str:
    """An array as it travels: base64 of little-endian float64."""
    return base64.b64encode(np.ascontiguousarray(array, "<f8").tobytes()).decode()


def packed_integers(array: Any) -> str:
    return base64.b64encode(np.ascontiguousarray(array, "<i8").tobytes()).decode()


def evaluation(
    step: int, error: float = 0.5, images: int = 64, columns: int = len(SUMS), **changes: Any
) -> dict[str, Any]:
    """Every pixel predicted `error` metres too far at 2 m, 100 valid pixels an image; only the first `columns` sums."""
    d = -np.log((2 + error) / 2)
    row = {
        "n": 100,
        "abs": 100 * abs(error),
        "sq": 100 * error**2,
        "abs_rel": 50 * abs(error),
        "sq_rel": 50 * error**2,
        "log": 100 * d,
        "log_sq": 100 * d**2,
        "log10": 100 * abs(d) / np.log(10),
    }
    sums = np.tile([float(row.get(name, 0.0)) for name in SUMS[:columns]], (images, 1))
    return {
        "step": step,
        "split": "test",
        "protocol": PROTOCOL,
        "images": images,
        "sums": packed(sums),
        "wall": time.time(),
        **changes,
    }


def depth_map(metres: float) -> str:
    return base64.b64encode(pack_depth(np.full((HEIGHT, WIDTH), metres * 1000, np.uint16))).decode()


def frame(name: str, position: int) -> dict[str, Any]:
    png = io.BytesIO()
    Image.new("RGB", (WIDTH, HEIGHT), (position, 20, 30)).save(png, "PNG")
    return {
        "frame": name,
        "position": position,
        "part": "test",
        "height": HEIGHT,
        "width": WIDTH,
        "crop": "none",
        "split": "official",
        "rgb": base64.b64encode(png.getvalue()).decode(),
        "depth": depth_map(3.0),
    }


def prediction(step: int, name: str, metres: float = 2.0) -> dict[str, Any]:
    return {"step": step, "frame": name, "height": HEIGHT, "width": WIDTH, "depth": depth_map(metres)}


def wait_for(condition: Callable[[], bool], what: str, seconds: float = 5.0) -> None:
    """Until something that another thread does has happened."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, what
        time.sleep(0.01)


def expire(app: FastAPI, run_id: int) -> None:
    """Let the lease of a run have run out a second ago."""
    with app.state.database.write() as session:
        past = clock(session) - timedelta(seconds=1)
        session.execute(update(Run).where(Run.id == run_id).values(lease_until=past))


def make_due(app: FastAPI, run_id: int) -> None:
    """Let a run that waits after a loss be claimable now."""
    with app.state.database.write() as session:
        session.execute(update(Run).where(Run.id == run_id).values(not_before=None))


def status_of(client: Client, run_id: int) -> str:
    return str(client.get(f"/api/runs/{run_id}").json()["status"])
