"""A record to draw from: a SQLite database in memory with experiments, runs, evaluations and depth maps made here, without the API."""

from __future__ import annotations

import io
import itertools
import zlib
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from sqlalchemy import create_engine
from sqlalchemy.orm import Session

from backend.store.evaluations import means_of, metrics_of
from backend.store.tables import Attempt, Base, Dataset, Evaluation, Experiment, ExperimentRun, Frame, Prediction, Run
from depthboard.config import RunConfig
from depthboard.experiment import TRAINING_VERSION, identity
from depthboard.metrics import SHARPNESS
from depthboard.protocol import pack_depth

NOW = datetime(2026, 11, 1, tzinfo=UTC)
Depth = NDArray[np.float64]


def sums_of(truth: Depth, predicted: Depth) -> Depth:
    """Per-image sums, (images, 12), of depth (images, pixels) in metres: written from the definitions, apart from the product's code."""
    error, log = predicted - truth, np.log(truth) - np.log(predicted)
    ratio = np.maximum(truth / predicted, predicted / truth)
    columns = [
        np.ones_like(truth),
        np.abs(error),
        error**2,
        np.abs(error) / truth,
        error**2 / truth,
        log,
        log**2,
        np.abs(np.log10(truth) - np.log10(predicted)),
        ratio < 1.25,
        ratio < 1.25**2,
        ratio < 1.25**3,
        np.zeros_like(truth),
    ]
    return np.stack([c.sum(axis=1, dtype=np.float64) for c in columns], axis=1)


class World:
    """Adds rows with as little said as possible; everything is flushed, nothing committed."""

    def __init__(self) -> None:
        self._engine = create_engine("sqlite://")
        Base.metadata.create_all(self._engine)
        self.session = Session(self._engine)
        self._positions = itertools.count()
        self.experiment = Experiment(
            name="study", description="", spec={}, factors={}, created_at=NOW, updated_at=NOW, tags=[]
        )
        self.session.add(self.experiment)
        self.session.flush()

    def close(self) -> None:
        self.session.close()
        self._engine.dispose()

    @property
    def id(self) -> int:
        return self.experiment.id

    def dataset(self, name: str = "rooms", format: str = "rooms") -> str:
        if self.session.query(Dataset).filter_by(name=name).first() is None:
            row = Dataset(
                name=name,
                format=format,
                path="",
                options={},
                fingerprint=name,
                report={},
                sheet=None,
                created_at=NOW,
                updated_at=NOW,
            )
            self.session.add(row)
            self.session.flush()
        return name

    def run(self, loss: str = "l1", size: int = 64, seed: int = 0, *, status: str = "finished", **given: Any) -> Run:
        """A run of 4000 images unless `config` (a tree) says otherwise; `encoder`, `dataset`, `diverged_at` as keywords."""
        diverged_at, label = given.pop("diverged_at", None), given.pop("loss_label", loss)
        tree: dict[str, Any] = {"budget": {"images_seen": 4000, "batch_size": 8}, **given.pop("config", {})}
        dataset = self.dataset(given.pop("dataset", "rooms"), given.pop("format", "rooms"))
        tree["data"] = {**tree.get("data", {}), "dataset": dataset, "train_size": size}
        if gpus := given.pop("gpus", None):
            tree["engine"] = {"processes": gpus}
        tree["network"] = {"encoder": given.pop("encoder", "densenet_small")}
        tree.setdefault("loss", loss)
        assert not given, given
        config = RunConfig.model_validate({**tree, "seed": seed})
        row = Run(
            identity=identity(config, dataset),
            config=config.model_dump(mode="json"),
            data_fingerprint=dataset,
            training_version=TRAINING_VERSION,
            loss=config.loss.name,
            loss_label=label,
            dataset=dataset,
            split=config.data.split,
            train_size=size,
            encoder=config.network.encoder,
            height=config.data.height,
            width=config.data.width,
            seed=seed,
            steps=config.steps,
            batch_size=config.budget.batch_size,
            images=config.steps * config.budget.batch_size,
            evaluation_split=config.evaluation.split,
            protocol=config.protocol,
            status=status,
            attempt=1,
            tries=1,
            max_attempts=3,
            priority=0,
            position=next(self._positions),
            cancel_requested=False,
            step=config.steps if status == "finished" else 0,
            diverged_at=diverged_at,
            created_at=NOW,
            **({"owner": "w", "lease_until": NOW} if status == "running" else {}),
        )
        self.session.add(row)
        self.session.flush()
        self.session.add(ExperimentRun(experiment_id=self.id, run_id=row.id, levels={}, position=row.position))
        self.session.flush()
        return row

    def attempt(self, run: Run, number: int, device: str = "NVIDIA H200", resumed_from: int | None = None) -> None:
        row = {"owner": "w", "host": "here", "device": device, "started_at": NOW, "log_length": 0}
        self.session.add(Attempt(run_id=run.id, attempt=number, resumed_from=resumed_from, **row))
        self.session.flush()

    def evaluate(self, run: Run, step: int, sums: Depth, **columns: Any) -> Evaluation:
        """An evaluation with its metrics kept beside it, on the run's own part and protocol unless said otherwise."""
        per_image, pooled = metrics_of(sums)
        row = Evaluation(
            **{
                "run_id": run.id,
                "attempt": 1,
                "step": step,
                "split": run.evaluation_split,
                "protocol": run.protocol,
                "predictor": "network",
                "images": len(sums),
                "sums": zlib.compress(np.ascontiguousarray(sums, "<f8").tobytes()),
                "per_image": per_image,
                "pooled": pooled,
                "wall": 0.0,
                "seconds": 0.0,
                "superseded": False,
                **columns,
            }
        )
        self.session.add(row)
        self.session.flush()
        return row

    def errors(self, run: Run, steps: Iterable[int], errors: Iterable[float], **columns: Any) -> None:
        """Evaluations of two images of two pixels, ground truth 1 m, whose prediction is off by each error in metres: mae = rmse = rel."""
        for step, error in zip(steps, errors, strict=True):
            self.evaluate(run, step, sums_of(np.ones((2, 2)), np.full((2, 2), 1 + error)), **columns)

    def constant(self, run: Run, error: float) -> None:
        self.errors(run, [0], [error], predictor="constant", constant=1 + error)

    def edges(self, run: Run, step: int, images: int = 2, columns: dict[str, Any] | None = None, **values: Any) -> None:
        """An evaluation with measures of edges: each of `values` one number or one an image, the others undefined."""
        array = np.full((images, len(SHARPNESS)), np.nan)
        for name, value in values.items():
            array[:, SHARPNESS.index(name)] = value
        sums = sums_of(np.ones((images, 2)), np.full((images, 2), 1.5))
        packed = {"sharpness": zlib.compress(array.tobytes()), "sharpness_means": means_of(array)}
        self.evaluate(run, step, sums, **packed, **(columns or {}))

    def frame(
        self, depth: NDArray[np.uint16], name: str = "office/0001", position: int = 0, dataset: str = "rooms"
    ) -> Frame:
        """A sample frame of the test part: ground truth in millimetres, a grey picture."""
        png = io.BytesIO()
        Image.fromarray(np.full((*depth.shape, 3), 128, np.uint8)).save(png, "PNG")
        row = Frame(
            dataset=self.dataset(dataset),
            fingerprint=dataset,
            split="official",
            part="test",
            crop="none",
            height=depth.shape[0],
            width=depth.shape[1],
            frame=name,
            position=position,
            rgb=png.getvalue(),
            depth=pack_depth(depth),
        )
        self.session.add(row)
        self.session.flush()
        return row

    def predict(self, run: Run, step: int, frame: Frame, depth: NDArray[np.uint16], **columns: Any) -> Prediction:
        row = Prediction(
            **{
                "run_id": run.id,
                "attempt": 1,
                "step": step,
                "frame_id": frame.id,
                "height": depth.shape[0],
                "width": depth.shape[1],
                "nonfinite": 0,
                "depth": pack_depth(depth),
                "superseded": False,
                **columns,
            }
        )
        self.session.add(row)
        self.session.flush()
        return row
