"""The Python client: submit and read experiments, and (for workers and people's own loops) write a run's record.

from depthboard.client import Client
client = Client()                        # DEPTHBOARD_API_URL, else http://127.0.0.1:8765
experiment = client.submit({"name": "two losses", "factors": {"loss": ["l1", "eigen"], "size": [16, 64]}})
client.wait(experiment["id"])
print(client.results(experiment["id"])["rows"])
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import httpx2
import numpy as np
import yaml
from pydantic import BaseModel, ValidationError

from depthboard import errors, protocol
from depthboard.experiment import ExperimentSpec
from depthboard.settings import get_settings

if TYPE_CHECKING:
    from depthboard.script import Run, start

__all__ = ["Api", "Client", "Run", "RunWriter", "read_spec", "start"]

T = TypeVar("T")

PORTION = 8 * 2**20
"""Bytes of depth maps and pictures in one request; base64 adds a third, and the API takes bodies of 32 MiB."""

MAPS_AT_ONCE = 200
BROKEN_SECONDS = 300.0
"""A write that the API answers with 500 is tried again for so long: a run must come to an end."""


def __getattr__(name: str) -> Any:
    """`start` and `Run` of people's own scripts (depthboard.script), which build on this module."""
    if name in ("Run", "start"):
        from depthboard import script

        return getattr(script, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


ERRORS: dict[str, type[errors.DepthboardError]] = {
    kind.code: kind
    for kind in (
        errors.InvalidInput,
        errors.UnknownName,
        errors.DataProblem,
        errors.NotFound,
        errors.Conflict,
        errors.StaleAttempt,
        errors.SequenceGap,
        errors.IllegalMove,
        errors.Unavailable,
        errors.Misconfigured,
    )
}


class Api:
    """HTTP to the API: answers as JSON, its errors as exceptions of depthboard.errors.

    Raises Unavailable when the API does not answer or is out of service, and the error the API names otherwise.
    """

    def __init__(self, url: str | None = None, *, token: str | None = None, timeout: float = 70.0) -> None:
        self.url = (url or get_settings().url).rstrip("/")
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        # Certificates take 20 ms to load, and plain HTTP has none.
        verify = self.url.startswith("https:")
        self._http = httpx2.Client(base_url=self.url, timeout=timeout, headers=headers, trust_env=False, verify=verify)

    def close(self) -> None:
        self._http.close()

    def request(self, method: str, path: str, body: Any = None, **params: Any) -> httpx2.Response:
        content = _encode(body)
        query = {k: v for k, v in params.items() if v is not None}
        headers = {"Content-Type": "application/json"} if content is not None else {}
        try:
            answer = self._http.request(method, path, content=content, params=query, headers=headers)
        except httpx2.TransportError as error:
            raise errors.Unavailable(
                f"the API at {self.url} does not answer ({error}).", remedy="Start it with `depthboard up`."
            ) from error
        if answer.status_code >= 400:
            raise _error(answer)
        return answer

    def save(self, path: str, file: Path, **params: Any) -> None:
        """Write an answer to a file as it comes."""
        try:
            with self._http.stream("GET", path, params=params) as answer:
                if answer.status_code >= 400:
                    answer.read()
                    raise _error(answer)
                with file.open("wb") as out:
                    for part in answer.iter_bytes():
                        out.write(part)
        except httpx2.TransportError as error:
            raise errors.Unavailable(f"the API at {self.url} broke off ({error}).", remedy="Try again.") from error

    def json(self, method: str, path: str, body: Any = None, **params: Any) -> Any:
        answer = self.request(method, path, body, **params)
        try:
            return answer.json() if answer.content else None
        except ValueError as error:
            raise errors.Unavailable(
                f"what answers at {self.url} is no Depthboard API ({error}).", remedy="Look at DEPTHBOARD_API_URL."
            ) from error


def _encode(body: Any) -> bytes | None:
    if body is None:
        return None
    if isinstance(body, BaseModel):
        return body.model_dump_json().encode()
    if isinstance(body, Sequence) and body and isinstance(body[0], BaseModel):
        return ("[" + ",".join(item.model_dump_json() for item in body) + "]").encode()
    return json.dumps(body).encode()


def _error(answer: httpx2.Response) -> errors.DepthboardError:
    try:
        body = answer.json()["error"]
        kind = ERRORS.get(body["code"], errors.DepthboardError)
        message, field, remedy = body["message"], body.get("field"), body.get("remedy")
    except (ValueError, KeyError, TypeError):
        kind, message, field, remedy = errors.DepthboardError, f"the API answered {answer.status_code}.", None, None
    if kind is errors.SequenceGap:
        return errors.SequenceGap(message, field=field, remedy=remedy, expected=body.get("expected"))
    if answer.status_code >= 500:
        away = errors.Unavailable(message, field=field, remedy=remedy)
        away.broken = answer.status_code == 500
        return away
    error = kind(message, field=field, remedy=remedy)
    if isinstance(error, errors.InvalidInput):
        error.others = tuple(
            errors.InvalidInput(str(other.get("message")), field=other.get("field"), remedy=other.get("remedy"))
            for other in body.get("others", [])
        )
    return error


def read_spec(source: ExperimentSpec | dict[str, Any] | str | Path) -> ExperimentSpec:
    """An experiment from a mapping, or from a YAML file by its path. Raises InvalidInput naming the field."""
    if isinstance(source, ExperimentSpec):
        return source
    if isinstance(source, (str, Path)):
        try:
            source = yaml.safe_load(Path(source).read_text(encoding="utf-8"))
        except FileNotFoundError as error:
            raise errors.InvalidInput(f"there is no file {source}.", field="file") from error
        except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
            raise errors.InvalidInput(f"{source} cannot be read as YAML: {error}", field="file") from error
    try:
        return ExperimentSpec.model_validate(source)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(map(str, first["loc"])) or None
        raise errors.InvalidInput(f"{first['msg'].removeprefix('Value error, ')}.", field=where) from error


class Client:
    """Submit, watch and read. Every method raises the errors of depthboard.errors."""

    def __init__(self, url: str | None = None) -> None:
        self.api = Api(url)

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *_: object) -> None:
        self.api.close()

    def submit(self, spec: ExperimentSpec | dict[str, Any] | str | Path) -> dict[str, Any]:
        """Submit an experiment; runs that exist already are linked, never trained again. Returns it with its id."""
        return dict(self.api.json("POST", "/api/experiments", read_spec(spec)))

    def dry_run(self, spec: ExperimentSpec | dict[str, Any] | str | Path) -> dict[str, Any]:
        """What submitting would do: runs, how many exist, images to train, estimated seconds."""
        return dict(self.api.json("POST", "/api/experiments/dry-run", read_spec(spec)))

    def experiments(self, **query: Any) -> list[dict[str, Any]]:
        return list(self._pages("/api/experiments", **query))

    def experiment(self, experiment_id: int) -> dict[str, Any]:
        return dict(self.api.json("GET", f"/api/experiments/{experiment_id}"))

    def datasets(self) -> list[dict[str, Any]]:
        return list(self._pages("/api/datasets"))

    def workers(self) -> list[dict[str, Any]]:
        """The workers of the last week, the living first."""
        return list(self._pages("/api/workers"))

    def runs(self, experiment_id: int, **query: Any) -> list[dict[str, Any]]:
        return list(self._pages(f"/api/experiments/{experiment_id}/runs", **query))

    def run(self, run_id: int) -> dict[str, Any]:
        return dict(self.api.json("GET", f"/api/runs/{run_id}"))

    def evaluations(self, run_id: int) -> list[dict[str, Any]]:
        return list(self.api.json("GET", f"/api/runs/{run_id}/evaluations"))

    def results(self, experiment_id: int, **query: Any) -> dict[str, Any]:
        """The results table: ours, the constant prediction, the published rows."""
        return dict(self.api.json("GET", f"/api/experiments/{experiment_id}/results", **query))

    def sharpness(self, experiment_id: int, **query: Any) -> dict[str, Any]:
        """The sharpness table: how sharp the predicted edges are."""
        return dict(self.api.json("GET", f"/api/experiments/{experiment_id}/sharpness", **query))

    def table(self, experiment_id: int, name: str, **options: Any) -> bytes:
        """The table `results` or `sharpness` as a file; `format` is csv, latex or json."""
        return bytes(self.api.request("GET", f"/api/experiments/{experiment_id}/{name}", **options).content)

    def depth_maps(self, prediction_ids: Sequence[int]) -> dict[int, np.ndarray]:
        """Predicted depth maps by their ids, as uint16 (H, W) millimetres, 0 where the prediction was not finite."""
        maps: dict[int, np.ndarray] = {}
        for start in range(0, len(prediction_ids), MAPS_AT_ONCE):
            ids = list(prediction_ids[start : start + MAPS_AT_ONCE])
            maps |= _unbundled(self.api.request("GET", "/api/predictions", id=ids).content)
        return maps

    def figure(self, experiment_id: int, name: str, **options: Any) -> bytes:
        """A figure's bytes; `format` is json, html, png, svg, pdf or csv. For print `width` (single, double, slide, 84mm),
        `font` (points) and `caption="no"`.
        """
        return bytes(self.api.request("GET", f"/api/experiments/{experiment_id}/figures/{name}", **options).content)

    def run_figure(self, run_id: int, **options: Any) -> bytes:
        """A run's metric over the band of its cell's other seeds, in a `format` as of `figure`."""
        return bytes(self.api.request("GET", f"/api/runs/{run_id}/figure", **options).content)

    def comparison(self, run_ids: Sequence[int], name: str, **options: Any) -> bytes:
        """The figure `name` of any runs (lines, bars, scatter, parallel, paired), in a `format` as of `figure`."""
        runs = ",".join(map(str, run_ids))
        return bytes(self.api.request("GET", f"/api/compare/{name}", runs=runs, **options).content)

    def export(self, experiment_id: int, what: str, file: Path, **query: Any) -> None:
        """Write `runs` or `curves` of an experiment to a file; its ending (.csv .parquet .json) names the format."""
        query = {"format": file.suffix.removeprefix("."), **query}
        if what == "runs":
            self.api.save("/api/runs/export", file, experiment=experiment_id, **query)
        else:
            self.api.save(f"/api/experiments/{experiment_id}/{what}", file, **query)

    def cancel(self, run_id: int) -> dict[str, Any]:
        return dict(self.api.json("POST", f"/api/runs/{run_id}/cancel"))

    def retry(self, run_id: int) -> dict[str, Any]:
        return dict(self.api.json("POST", f"/api/runs/{run_id}/retry"))

    def retry_all(self, experiment_id: int, status: str) -> dict[str, Any]:
        """Queue all failed, or all cancelled, runs of an experiment again."""
        return self._move(experiment_id, "retry", status=status)

    def complete(self, experiment_id: int) -> dict[str, list[int]]:
        """See to it that every cell of the grid has a run; says which were created, linked and queued again."""
        return self._move(experiment_id, "complete")

    def pause(self, experiment_id: int) -> dict[str, Any]:
        return self._move(experiment_id, "pause")

    def resume(self, experiment_id: int) -> dict[str, Any]:
        return self._move(experiment_id, "resume")

    def restore(self, experiment_id: int) -> dict[str, Any]:
        return self._move(experiment_id, "restore")

    def _move(self, experiment_id: int, move: str, **query: Any) -> dict[str, Any]:
        return dict(self.api.json("POST", f"/api/experiments/{experiment_id}/{move}", **query))

    def delete(self, experiment_id: int, *, now: bool = False) -> dict[str, Any]:
        """Move an experiment to the trash, or remove it for good; says until when it can be restored, or what was freed."""
        return dict(self.api.json("DELETE", f"/api/experiments/{experiment_id}", now=now))

    def empty_trash(self) -> dict[str, Any]:
        return dict(self.api.json("DELETE", "/api/trash"))

    def queue(self) -> list[dict[str, Any]]:
        """What waits, in the order in which workers get it."""
        return list(self._pages("/api/queue"))

    def move_to_front(self, run_ids: Sequence[int]) -> None:
        """Put these queued runs, in this order, before all others."""
        others = (entry["run"]["id"] for entry in self._pages("/api/queue") if entry["place"] is not None)
        before = next((run_id for run_id in others if run_id not in run_ids), None)
        self.api.json("POST", "/api/queue/move", {"run_ids": list(run_ids), "before": before})

    def drain(self, worker_id: str, draining: bool = True) -> dict[str, Any]:
        """Let a worker finish what it trains and take nothing more, or take that back."""
        return dict(self.api.json("POST", f"/api/workers/{worker_id}/drain", {"draining": draining}))

    def wait(self, experiment_id: int, *, every: float = 2.0, timeout: float | None = None) -> dict[str, Any]:
        """Return the experiment once no run is queued or running. Raises TimeoutError after `timeout` seconds."""
        end = None if timeout is None else time.monotonic() + timeout
        while True:
            experiment = self.experiment(experiment_id)
            if not experiment["counts"]["queued"] and not experiment["counts"]["running"]:
                return experiment
            if end is not None and time.monotonic() > end:
                raise TimeoutError(
                    f"experiment {experiment_id} is not done after {timeout:g} s: {experiment['counts']}"
                )
            time.sleep(every)

    def _pages(self, path: str, **query: Any) -> Iterator[dict[str, Any]]:
        page = 1
        while True:
            answer = self.api.json("GET", path, **{"size": 200, **query, "page": page})
            yield from answer["items"]
            if page * answer["size"] >= answer["total"]:
                return
            page += 1


def _unbundled(body: bytes) -> dict[int, np.ndarray]:
    start = 4 + int.from_bytes(body[:4], "little")
    maps: dict[int, np.ndarray] = {}
    for entry in json.loads(body[4:start]):
        end = start + entry["bytes"]
        maps[entry["id"]] = protocol.unpack_depth(body[start:end], entry["height"], entry["width"])
        start = end
    return maps


def _portions(items: Sequence[T], sizes: Sequence[int]) -> Iterator[Sequence[T]]:
    """The items in order, in as few pieces as keep each below PORTION bytes; one item that is larger goes alone."""
    start, held = 0, 0
    for i, size in enumerate(sizes):
        if i > start and held + size > PORTION:
            yield items[start:i]
            start, held = i, 0
        held += size
    if start < len(items):
        yield items[start:]


class RunWriter:
    """Writes one attempt's record. A write is retried until the API answers, for at most `patience` seconds of waiting, then raises Unavailable.

    StaleAttempt means: stop, the run is no longer ours.
    """

    def __init__(
        self,
        run_id: int,
        token: str,
        url: str | None = None,
        *,
        timeout: float = 70.0,
        patience: float = float("inf"),
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.path = f"/api/runs/{run_id}"
        self.api = Api(url, token=token, timeout=timeout)
        self._patience = patience
        self._sleep = sleep

    def renew(self, progress: protocol.Progress | None = None) -> protocol.RenewalAnswer:
        """One try only: the caller counts the time since the last renewal itself."""
        return protocol.RenewalAnswer.model_validate(
            self.api.json("POST", f"{self.path}/renewals", protocol.Renewal(progress=progress))
        )

    def begin(self, resumed_from: int | None) -> None:
        """Say from which step on this attempt logs; none: from scratch."""
        self._send("POST", "begin", protocol.Begin(resumed_from=resumed_from))

    def points(self, batch: protocol.Points) -> int:
        return int(self._send("POST", "points", batch)["last_seq"])

    def evaluation(self, evaluation: protocol.Evaluation) -> None:
        self._send("POST", "evaluations", evaluation)

    def predictions(self, predictions: list[protocol.Prediction]) -> None:
        for some in _portions(predictions, [len(p.depth) for p in predictions]):
            self._send("POST", "predictions", some)

    def frames(self, frames: list[protocol.SampleFrame]) -> None:
        for some in _portions(frames, [len(f.depth) + len(f.rgb) for f in frames]):
            self._send("PUT", "frames", some)

    def checkpoint(self, note: protocol.CheckpointNote) -> None:
        self._send("POST", "checkpoints", note)

    def log(self, text: protocol.LogText) -> None:
        self._send("POST", "log", text)

    def provenance(self, provenance: protocol.Provenance) -> None:
        self._send("POST", "provenance", provenance)

    def finish(self, finish: protocol.Finish) -> None:
        self._send("POST", "finish", finish)

    def _send(self, method: str, what: str, body: Any) -> Any:
        wait, waited = 0.2, 0.0
        while True:
            try:
                return self.api.json(method, f"{self.path}/{what}", body)
            except errors.Unavailable as error:
                if waited >= (min(self._patience, BROKEN_SECONDS) if error.broken else self._patience):
                    raise
                self._sleep(wait)
                waited, wait = waited + wait, min(wait * 2, 10.0)
