"""The words of a figure: metric, split, protocol, selector, subsets, seeds, and what became of every run."""

from __future__ import annotations

from collections.abc import Iterable

from backend.figures.aggregate import Band
from backend.figures.groups import Scope
from backend.figures.selector import Selection, XAxis, selector_words
from backend.store.study import StudyRun
from depthboard.metrics import METRICS, SHARPNESS_METRICS, Metric, full_name
from depthboard.status import RunStatus

THIN = "\u202f"
KNOWN: dict[str, Metric] = METRICS | SHARPNESS_METRICS
SHORT = {"mae": "MAE", "rmse": "RMSE"}
NO_RUN = "No run with evaluations matches."
"""Runs of people's own scripts have none."""
HOURS = "Hours are without waits between attempts, and without work that was lost and done again."
TIME_WORDS: dict[XAxis, str] = {
    "hours": HOURS,
    "wall": "Hours count from the run's start, waits and work that was done again among them.",
    "gpu": "GPU hours are hours of training times the GPUs that a run trained on; without waits and lost work.",
}


def metric_name(metric: str) -> str:
    return SHORT.get(metric, KNOWN[metric].label)


def metric_title(metric: str, part: str = "") -> str:
    """`test RMSE (m)`: the evaluated part always stands before the metric."""
    unit = KNOWN[metric].unit
    return f"{part} {metric_name(metric)}".strip() + (f" ({unit})" if unit else "")


def shown(metric: str, value: float) -> float:
    """A stored value as it is drawn: shares in per cent."""
    return value * 100 if KNOWN[metric].unit == "%" else value


def decimals(metric: str) -> int:
    known = KNOWN[metric]
    if known.unit == "%" or metric == "silog":
        return 1
    return 2 if known.unit == "px" or known.ideal is not None else 3


def metric_text(metric: str, value: float) -> str:
    """The value with its unit, e.g. `0.931 m`, `81.9 %`."""
    return f"{shown(metric, value):.{decimals(metric)}f} {KNOWN[metric].unit}".strip()


def count(n: int) -> str:
    """12000 -> `12 000`, with a thin space that does not break."""
    return f"{n:,}".replace(",", THIN) if n >= 10_000 else str(n)


def plural(n: int, noun: str) -> str:
    return f"{count(n)} {noun}" if n == 1 else f"{count(n)} {noun}s"


def short_size(n: int) -> str:
    """12000 -> `12k`, for axis ticks."""
    return f"{n // 1000}k" if n >= 1000 and n % 1000 == 0 else count(n)


def evaluation_words(scope: Scope) -> str:
    name = full_name(scope.protocol, scope.selection.averaging)
    text = f"Evaluated on the {scope.part} split, protocol {name}."
    if scope.rescored:
        text += f" {plural(scope.rescored, 'run')} re-scored from kept checkpoints"
        text += "; every run counts with its last evaluation." if scope.selection.value == "last" else "."
    if scope.other_protocols:
        text += f" {plural(scope.other_protocols, 'run')} under other protocols left out."
    return text


def value_words(selection: Selection) -> str:
    return f"A run's value: {selector_words(selection)}."


def seeds_words(ns: Iterable[int]) -> str:
    """`Mean over seeds, n = 1-3` with the spread explained where there is one."""
    known = sorted(set(ns))
    if not known:
        return "No value yet."
    if known == [1]:
        return "One seed, so no spread."
    span = f"{known[0]}" if len(known) == 1 else f"{known[0]}–{known[-1]}"
    return f"Mean over seeds ± sample standard deviation, n = {span}."


BAND_WORDS: dict[Band, str] = {
    "std": " ± sample standard deviation",
    "se": " ± standard error",
    "ci95": " with its 95 % confidence interval (Student t)",
    "minmax": ", band from the smallest to the largest run",
    "seeds": ", thin lines are single runs",
    "none": "",
}
OVER_WORDS = {"seed": "seeds", "loss": "losses", "size": "dataset sizes", "encoder": "encoders", "dataset": "datasets"}


def mean_words(over: Iterable[str], ns: Iterable[int], band: Band) -> str:
    """What a mean is taken over, what is drawn about it, and n: `Mean over seeds ± standard error, n = 2–3.`"""
    known, names = sorted(set(ns)), list(dict.fromkeys(over))
    if not known:
        return "No value yet."
    if known == [1]:
        return "One run a line, so no band." if "seed" not in names else "One seed, so no spread."
    span = f"{known[0]}" if len(known) == 1 else f"{known[0]}–{known[-1]}"
    words = [OVER_WORDS.get(name, name) for name in names]
    listed = " and ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)
    return f"Mean over {listed}{BAND_WORDS[band]}, n = {span}."


def subset_words(runs: Iterable[StudyRun]) -> str:
    """How the training images were chosen, named on every figure."""
    kinds = {_subset(run) for run in runs}
    return f"Training subsets: {', '.join(sorted(kinds))}." if kinds else ""


def _subset(run: StudyRun) -> str:
    subset = run.config["data"]["subset"]
    return f"random (seed {subset['seed']})" if subset["kind"] == "random" else "equally spaced"


def account(runs: Iterable[StudyRun], drawn: set[int], *, partial: bool = False) -> str:
    """What became of every run, e.g. `28 runs: 20 drawn, 6 not there yet, 1 failed, 1 diverged and left out.`

    `partial` says that a figure draws what a run has so far, until it diverges.
    """
    runs = list(runs)
    missing = [run for run in runs if run.id not in drawn]
    diverged = [run for run in (runs if partial else missing) if run.diverged_at is not None]
    gone = [run for run in missing if run.diverged_at is None]
    parts = [f"{len(drawn)} drawn"]
    for words, statuses in (
        ("not there yet", (RunStatus.queued, RunStatus.running)),
        ("failed", (RunStatus.failed,)),
        ("cancelled", (RunStatus.cancelled,)),
        ("without a value", (RunStatus.finished,)),
    ):
        if n := sum(run.status in statuses for run in gone):
            parts.append(f"{n} {words}")
    text = f"{plural(len(runs), 'run')}: {', '.join(parts)}."
    if diverged:
        where = "left out of the mean from there on" if partial else "left out of the mean"
        text += " Diverged: " + ", ".join(_divergence(run) for run in diverged) + f"; {where}."
    return text


def _divergence(run: StudyRun) -> str:
    return f"run {run.id} (seed {run.seed}) at step {run.diverged_at}"


def join(*sentences: str) -> str:
    return " ".join(sentence for sentence in sentences if sentence)
