"""The grid of depth maps as numbers, for trainings and for scripts alike, with what the look makes of them."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from backend.figures import captions
from backend.figures.colouring import (
    colour_depth,
    colour_error,
    colour_relative,
    depth_range,
    edges,
    median_scaled,
    stretched,
    with_edges,
)
from backend.figures.look import Look
from backend.store.evaluations import Filed, Value
from backend.store.study import PredictedDepth, SampleDepth

LIMITS = {"error": (0.1, 0.2, 0.5, 1.0, 2.0, 3.0, 5.0), "relative": (0.05, 0.1, 0.25, 0.5, 1.0)}
USUAL = {"error": ("rmse", 1.0), "relative": ("abs_rel", 0.25)}
"""By which metric the end of the error's colours is chosen, and what it is without."""

Image = NDArray[np.uint8]
Map = NDArray[np.uint16]


@dataclass(frozen=True, slots=True)
class Tile:
    """A run's prediction of a frame, with this image's own metrics; NaN where the evaluation does not hold them."""

    prediction: PredictedDepth
    epoch: float
    metrics: dict[str, float]


@dataclass(frozen=True, slots=True)
class Column:
    """A run with the `facts` that tell it: the loss in whose colour and marker it is drawn, the step shown (None before the first), the run's value by the selector, tiles by frame id."""

    loss: str
    label: str
    run_id: int
    step: int | None
    epoch: float
    rmse: float | None
    tiles: dict[int, Tile]
    facts: dict[str, Any]


@dataclass(frozen=True)
class QualitativeGrid:
    """`steps`: every step with depth maps, ascending. `words` are the caption's sentences that hold whatever the look."""

    frames: tuple[SampleDepth, ...]
    columns: tuple[Column, ...]
    steps: tuple[int, ...]
    look: Look
    words: tuple[str, ...]
    filed: Filed
    value: Value

    @property
    def truths(self) -> list[Map]:
        """Ground truth, or, where a script has shown none at all, its predictions: what the range is taken of."""
        found = [frame.truth for frame in self.frames]
        if any(truth.any() for truth in found):
            return found
        return [tile.prediction.depth for column in self.columns for tile in column.tiles.values()]

    @cached_property
    def depth_range(self) -> tuple[float, float]:
        """Metres, one for all tiles."""
        low, high = depth_range(self.truths, *self.look.span)
        return stretched(
            low if self.look.low is None else self.look.low, high if self.look.high is None else self.look.high
        )

    @cached_property
    def limits(self) -> dict[str, float]:
        """Round numbers a little above the usual error, so that neither noise nor one bad tile sets them."""
        found = {}
        for view, (metric, preset) in USUAL.items():
            values = sorted(
                tile.metrics[metric]
                for column in self.columns
                for tile in column.tiles.values()
                if math.isfinite(tile.metrics.get(metric, math.nan))
            )
            usual = values[len(values) // 2] if values else None
            wanted = (limit for limit in LIMITS[view] if usual is not None and limit >= 1.5 * usual)
            found[view] = preset if usual is None else next(wanted, LIMITS[view][-1])
        return found

    @property
    def limit(self) -> float:
        """End of the error's colours."""
        return self.look.limit or self.limits.get(self.look.view, 1.0)

    @cached_property
    def rows(self) -> tuple[SampleDepth, ...]:
        """The frames in the order of the look; one without a value stands last."""
        scores = {frame.id: self.score(frame) for frame in self.frames}
        if self.look.order == "position":
            return self.frames
        sign = 1 if (self.look.order == "best") == _lower(self.look.metric) else -1
        if self.look.order == "difference":
            sign = -1
        return tuple(
            sorted(self.frames, key=lambda f: (scores[f.id] is None, sign * (scores[f.id] or 0.0), f.position))
        )

    def score(self, frame: SampleDepth) -> float | None:
        """What a frame is sorted by: its mean over the columns, or the first run's value less the second's."""
        look = self.look
        found = {
            c.run_id: c.tiles[frame.id].metrics.get(look.metric, math.nan) for c in self.columns if frame.id in c.tiles
        }
        values = {run_id: value for run_id, value in found.items() if math.isfinite(value)}
        if look.order == "difference":
            a, b = self.pair
            return values[a.run_id] - values[b.run_id] if a and b and {a.run_id, b.run_id} <= values.keys() else None
        return sum(values.values()) / len(values) if values else None

    @property
    def pair(self) -> tuple[Column | None, Column | None]:
        """The two runs that are set against each other: those asked for, else the first two."""
        by_id: dict[int | None, Column] = {column.run_id: column for column in self.columns}
        a, b = by_id.get(self.look.a), by_id.get(self.look.b)
        a = a or next((column for column in self.columns if column is not b), None)
        return a, b or next((column for column in self.columns if column is not a), None)

    def truth_image(self, frame: SampleDepth) -> Image:
        return self._marked(colour_depth(frame.truth, *self.depth_range, self.look.colours), frame)

    def image(self, frame: SampleDepth, tile: Tile) -> Image:
        """What the look shows of a prediction, (H, W, 4)."""
        look, depth = self.look, tile.prediction.depth
        if depth.shape != frame.truth.shape:
            return colour_depth(depth, *self.depth_range, look.colours)
        depth = median_scaled(depth, frame.truth) if look.scaled else depth
        if look.view == "depth":
            shown = np.where(frame.truth > 0, depth, 0).astype(np.uint16) if look.mask else depth
            image = colour_depth(shown, *self.depth_range, look.colours)
        else:
            colour = colour_error if look.view == "error" else colour_relative
            image = colour(depth, frame.truth, self.limit)
        return self._marked(image, frame)

    def _marked(self, image: Image, frame: SampleDepth) -> Image:
        return with_edges(image, edges(frame.truth)) if self.look.edges else image

    @property
    def caption(self) -> str:
        return (
            captions.join(*self.words[:2], self._look_words(), *self.words[2:])
            if self.frames
            else captions.join(*self.words)
        )

    def _look_words(self) -> str:
        """The sentences on colours, on what was done to the maps, and on the order."""
        look = self.look
        said = []
        low, high = self.depth_range
        if look.low is None and look.high is None:
            which = f"the {_ordinal(look.span[0])} to {_ordinal(look.span[1])} percentile of the ground truth shown"
        else:
            which = "set by hand"
        said.append(f"One depth range for all tiles, {low:.2f}–{high:.2f} m: {which}; hatched: no depth.")
        if look.view != "depth":
            what, unit = (
                ("prediction − ground truth", " m")
                if look.view == "error"
                else ("(prediction − ground truth) / ground truth", "")
            )
            said.append(f"Colours of the losses: {what}, ±{self.limit:g}{unit}; blue too near, orange too far.")
        if look.scaled:
            said.append("Each prediction × median of the ground truth / median of the prediction, image by image.")
        if look.view == "depth" and look.mask:
            said.append("Predictions are hatched where there is no ground truth.")
        if look.edges:
            said.append("Lines: where a surface of the ground truth ends before one that is a tenth farther.")
        return " ".join([*said, *self._order_words()])

    def _order_words(self) -> list[str]:
        name, (a, b) = captions.metric_name(self.look.metric), self.pair
        if self.look.order == "position":
            return []
        if self.look.order == "difference":
            return [f"Rows by the difference in {name}, {a.label} − {b.label}."] if a and b else []
        return [f"Rows by mean {name}, {self.look.order} first."]


def _lower(metric: str) -> bool:
    return captions.KNOWN[metric].lower_is_better


def _ordinal(n: int) -> str:
    return f"{n}{'st' if n == 1 else 'nd' if n == 2 else 'th'}"
