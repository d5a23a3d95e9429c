"""The progress of an experiment in the terminal: one bar for all runs, one for each that trains now."""

from __future__ import annotations

import time
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn

from depthboard.client import Client


def duration(seconds: float | None) -> str:
    """Seconds as people say them: 40 s, 12 min, 3 h 05 min; – when unknown."""
    if seconds is None:
        return "–"
    if seconds < 90:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 90 else f"{minutes // 60} h {minutes % 60:02d} min"


def label(run: dict[str, Any]) -> str:
    """What sets the run apart: loss, size, encoder, seed, and whatever else its experiment varies; of a script's run its name."""
    if run["kind"] == "script":
        return str(run["name"])
    shown = {"loss", "data.train_size", "network.encoder", "seed"}
    others = [f"{path.split('.')[-1]} {level}" for path, level in run["levels"].items() if path not in shown]
    parts = [run["loss_label"], f"{run['train_size']} images", run["encoder"], *others, f"seed {run['seed']}"]
    return " · ".join(parts)


def follow(client: Client, experiment_id: int, console: Console, every: float = 1.0) -> dict[str, Any]:
    """Show the bars until no run is queued or running; returns the experiment as it then is."""
    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        TextColumn("{task.fields[note]}", markup=False),
    )
    with Progress(*columns, console=console, transient=False) as bars:
        total = bars.add_task("all runs", total=1.0, note="")
        shown: dict[int, TaskID] = {}
        while True:
            experiment = client.experiment(experiment_id)
            counts = experiment["counts"]
            bars.update(total, completed=experiment["progress"], note=_totals(counts, experiment["eta_seconds"]))
            running = client.runs(experiment_id, status="running") if counts["running"] else []
            _show(bars, shown, running)
            if not counts["queued"] and not counts["running"]:
                return experiment
            time.sleep(every)


def _totals(counts: dict[str, int], eta: float | None) -> str:
    total = sum(counts.values())
    bad = "".join(f" · {counts[s]} {s}" for s in ("failed", "cancelled") if counts[s])
    return f"{counts['finished']} of {total} runs{bad} · {duration(eta)} left"


def _show(bars: Progress, shown: dict[int, TaskID], running: list[dict[str, Any]]) -> None:
    for gone in set(shown) - {run["id"] for run in running}:
        bars.remove_task(shown.pop(gone))
    for run in running:
        note = f"epoch {run['epoch']:.1f} · {run['images_seen']:,} images · {duration(run['eta_seconds'])} left"
        if run["id"] not in shown:
            shown[run["id"]] = bars.add_task("  " + label(run), total=run["steps"], note=note)
        bars.update(shown[run["id"]], completed=run["step"], note=note)
