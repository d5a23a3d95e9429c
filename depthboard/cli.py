"""The command line: `depthboard --help`."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from depthboard import doctor as doctor_module
from depthboard import manage
from depthboard.cli_scripts import import_app, sync
from depthboard.client import Client
from depthboard.config import PROTOCOLS
from depthboard.config.presets import PRESETS
from depthboard.errors import DepthboardError, InvalidInput, Unavailable
from depthboard.local import answers, running
from depthboard.progress import duration, follow, label
from depthboard.settings import get_settings

app = typer.Typer(no_args_is_help=True, add_completion=False, help="Run, watch and share studies of depth losses.")
data_app = typer.Typer(no_args_is_help=True, help="Datasets: register, check, list.")
app.add_typer(data_app, name="data")
app.add_typer(manage.app)
app.add_typer(import_app, name="import")
app.command()(sync)
console = Console()

Spec = Annotated[Path, typer.Argument(help="An experiment as YAML.", metavar="EXPERIMENT.YAML")]
Slots = Annotated[int, typer.Option(help="Trainings side by side.")]


@app.command()
def up(slots: Slots = 2) -> None:
    """API, dashboard and workers on this machine, until Ctrl-C."""
    with _product(slots) as ours:
        _stay(ours)


@app.command()
def demo(
    slots: Slots = 2, leave: Annotated[bool, typer.Option(help="Stop when the experiment is done.")] = False
) -> None:
    """`up`, and the built-in experiment: seven losses on procedural rooms."""
    counts: dict[str, int] = {}
    with _product(slots) as ours:
        client = Client()
        _wait_for_worker(client)
        experiment = _submit_demo(client)
        console.print(f"Figures as they grow: [bold]{get_settings().url}/experiments/{experiment['id']}[/bold]")
        counts = follow(client, experiment["id"], console)["counts"]
        console.print(
            f"{counts['finished']} runs finished, {counts['failed']} failed, {counts['cancelled']} cancelled."
        )
        if not leave:
            _stay(ours)
    if leave and not counts:
        raise typer.Exit(130)  # interrupted before the end that was asked for


@contextlib.contextmanager
def _product(slots: int) -> Iterator[bool]:
    """Everything on this machine until the block ends; Ctrl-C is how a person ends it, and no error."""
    ours, begun = False, False
    try:
        with running(get_settings(), slots, console.print) as ours:
            _say_where(ours)
            begun = True
            try:
                yield ours
            except KeyboardInterrupt:
                if ours:
                    console.print("Stopping; what trains keeps a checkpoint and goes on the next time …")
                raise
    except KeyboardInterrupt:
        told = begun and not ours
        console.print(f"It goes on at {get_settings().url}: it was started elsewhere." if told else "Stopped.")
        if not begun:
            raise typer.Exit(130) from None


def _submit_demo(client: Client) -> dict[str, Any]:
    """The demo's experiment: the one that is there if it is the same, else a new one."""
    spec = PRESETS["demo"]()
    plan = client.dry_run(spec)
    time_needed = duration(plan["seconds"]) if plan["new"] else "nothing to train"
    console.print(
        f"{plan['total']} runs, {plan['reused']} exist already, {plan['images_to_train']:,} images to train: {time_needed}."
    )
    for known in client.experiments(q=spec["name"]):
        if not plan["new"] and known["name"] == spec["name"] and known["tags"] == spec["tags"]:
            return known
    return client.submit(spec)


def _wait_for_worker(client: Client, seconds: float = 180.0) -> None:
    with console.status("Waiting for the workers (the first start measures this machine's speed)"):
        end = time.monotonic() + seconds
        while not any(worker["alive"] for worker in client.workers()):
            if time.monotonic() > end:
                raise Unavailable(
                    "no worker has come up.", remedy=f"Its log: {get_settings().home / 'logs' / 'worker.log'}"
                )
            time.sleep(0.5)


def _say_where(ours: bool) -> None:
    settings = get_settings()
    state = "is up" if ours else "was up already"
    console.print(f"Depthboard {state}: [bold]{settings.url}[/bold]  (data in {settings.home})")


def _stay(ours: bool) -> None:
    if not ours:
        return
    console.print("Ctrl-C stops it.")
    while True:
        time.sleep(3600)


@app.command()
def serve() -> None:
    """The API and dashboard alone."""
    os.execv(sys.executable, [sys.executable, "-m", "backend.serve"])


@app.command()
def work(
    slots: Annotated[int, typer.Option(help="Trainings on each GPU, or without one on this host.", min=1)] = 1,
    gpus: Annotated[str, typer.Option(help="Only these GPUs, by number or UUID: 0,1.")] = "",
) -> None:
    """A worker alone; it finds the API at DEPTHBOARD_API_URL. Ctrl-C gives its runs back after a checkpoint, a second one at once."""
    chosen = ["--gpus", gpus] if gpus else []
    os.execv(sys.executable, [sys.executable, "-m", "worker", "--slots", str(slots), *chosen])


@app.command()
def submit(
    spec: Spec,
    dry_run: Annotated[bool, typer.Option(help="Only say what would be run.")] = False,
    wait: Annotated[bool, typer.Option(help="Show progress until the last run has ended.")] = False,
) -> None:
    """Submit an experiment; runs that exist already are shared, never trained again."""
    client = Client()
    plan = client.dry_run(spec)
    console.print(f"{plan['total']} runs: {plan['new']} new, {plan['reused']} exist already.")
    console.print(f"{plan['images_to_train']:,} images to train, about {duration(plan['seconds'])} ({plan['basis']}).")
    for warning in plan["warnings"]:
        console.print(f"Note: {escape(warning)}")
    if dry_run:
        return
    experiment = client.submit(spec)
    console.print(f"Experiment {experiment['id']}: {get_settings().url}/experiments/{experiment['id']}")
    if wait:
        counts = follow(client, experiment["id"], console)["counts"]
        if counts["failed"]:
            raise typer.Exit(1)


@app.command()
def runs(experiment: int, status: Annotated[str | None, typer.Option(help="Only runs of this status.")] = None) -> None:
    """The runs of an experiment."""
    found = Client().runs(experiment, status=status)
    several = len({run["evaluation"] for run in found}) > 1  # values under different protocols do not compare
    columns = (
        "run",
        "status",
        "what",
        "epoch",
        "rmse (m)",
        "δ<1.25",
        *(("evaluated by",) if several else ()),
        "reason",
    )
    table = Table(*columns, box=None)
    for run in found:
        rmse, delta = run["metrics"].get("rmse"), run["metrics"].get("delta1")
        shown = ("–" if rmse is None else f"{rmse:.3f}", "–" if delta is None else f"{100 * delta:.1f} %")
        values = (*shown, run["evaluation"]) if several else shown
        table.add_row(
            str(run["id"]),
            run["status"],
            escape(label(run)),
            f"{run['epoch']:.1f}",
            *values,
            escape(run["reason"] or ""),
        )
    console.print(table)


@app.command()
def rescore(
    experiment: int,
    protocol: Annotated[str | None, typer.Option(help=f"A named protocol: {', '.join(PROTOCOLS)}.")] = None,
    crop: Annotated[str | None, typer.Option(help="Window that is scored: none, toolbox, bts or eigen.")] = None,
    resize: Annotated[str | None, typer.Option(help="Score at the network's size or the native one.")] = None,
    min_depth: Annotated[float | None, typer.Option(help="Metres; ground truth at or below is not scored.")] = None,
    max_depth: Annotated[float | None, typer.Option(help="Metres; ground truth at or above is not scored.")] = None,
    flip_average: Annotated[bool | None, typer.Option(help="Mean with the mirrored image's prediction.")] = None,
) -> None:
    """Score the checkpoints of an experiment's finished runs again, on a machine that has them.

    Without an option by each run's own protocol and the present evaluator. What is scored stands beside the runs' own
    values; figures show it with ?protocol=NAME.
    """
    given = {"protocol": protocol, "crop": crop, "resize": resize, "min-depth": min_depth, "max-depth": max_depth}
    options = [word for name, value in given.items() if value is not None for word in (f"--{name}", str(value))]
    if flip_average is not None:
        options.append("--flip-average" if flip_average else "--no-flip-average")
    os.execv(sys.executable, [sys.executable, "-m", "worker.rescore", str(experiment), *options])


@app.command()
def export(
    experiment: int,
    figure: Annotated[
        str, typer.Argument(help="convergence, dataset-size, encoders, qualitative, results, sharpness; runs or curves")
    ],
    file: Annotated[
        Path,
        typer.Argument(
            help="Where to write; the ending names the format: .json .html .png .svg .pdf; of runs and curves also .csv .parquet .json"
        ),
    ],
    filter: Annotated[str | None, typer.Option(help="Of runs: which, e.g. 'status = finished and rmse < 0.5'.")] = None,
    key: Annotated[list[str] | None, typer.Option(help="Of curves: which, e.g. train/loss/l1; repeat it.")] = None,
    x: Annotated[
        str | None, typer.Option("--x", help="Of the figures convergence and curves: step, epoch, images or hours.")
    ] = None,
) -> None:
    """Write a figure, the runs or the curves of an experiment to a file."""
    kind = file.suffix.removeprefix(".")
    if not file.parent.is_dir():
        raise InvalidInput(f"there is no folder {file.parent}.", field="file", remedy="Create it, or write elsewhere.")
    if figure == "runs" or (figure == "curves" and kind in ("csv", "parquet", "json")):
        query = {"filter": filter} if figure == "runs" else {"key": key}
        Client().export(experiment, figure, file, **{name: value for name, value in query.items() if value})
    else:
        options = {**({"key": key[0]} if key else {}), **({"x": x} if x else {})}
        file.write_bytes(Client().figure(experiment, figure, format=kind, **options))
    console.print(f"{escape(str(file))}: {file.stat().st_size:,} bytes")


@app.command()
def doctor() -> None:
    """What is installed here, what is missing, and what that costs."""
    for line in doctor_module.report(get_settings(), answers(get_settings())):
        console.print(line, highlight=False)


Option = Annotated[list[str] | None, typer.Option("--option", "-o", help="Of the format, as KEY=VALUE; repeat it.")]
Format = Annotated[str, typer.Option("--format", "-f", help="See `depthboard data formats`.")]


@data_app.command("formats")
def data_formats() -> None:
    """The formats that can be read, and their options."""
    from depthboard.datasets import FORMATS

    for name, entry in FORMATS.items():
        console.print(f"[bold]{name}[/bold]  {entry.summary}")
        console.print(f"    PATH  {entry.path}", highlight=False)
        for option, info in entry.options.items():
            console.print(f"    -o {option}=…  {info.description}", highlight=False)


@data_app.command("add")
def data_add(
    name: str,
    path: Path,
    format: Format,
    option: Option = None,
    replace: Annotated[bool, typer.Option(help="Register anew a name that is taken.")] = False,
) -> None:
    """Check a dataset and register it under NAME."""
    report, sheet = _check(name, path, format, option)
    _print_report(report)
    if report["problems"]:
        raise InvalidInput(
            f"{name} was not registered: {report['problem_count']} problems, the first of them above.", field="path"
        )
    body = {"report": report, "sheet_png": sheet, "replace": replace}
    Client().api.json("POST", "/api/datasets", body)
    console.print(f"Registered: {get_settings().url}/datasets?name={escape(name)}")


@data_app.command("check")
def data_check(path: Path, format: Format, option: Option = None) -> None:
    """Check a dataset without registering it."""
    report, _ = _check(path.name, path, format, option)
    _print_report(report)
    if report["problems"]:
        raise typer.Exit(1)


@data_app.command("list")
def data_list() -> None:
    """The registered datasets."""
    table = Table("name", "format", "parts", "depth (m)", "path", box=None)
    for entry in Client().datasets():
        report = entry["report"]
        parts = "; ".join(
            f"{s}: " + ", ".join(f"{n} {p}" for p, n in sizes.items()) for s, sizes in report["splits"].items()
        )
        depth = f"{report['depth']['min']:.2f}–{report['depth']['max']:.2f}" if report["depth"] else "–"
        table.add_row(*map(escape, (entry["name"], entry["format"], parts, depth, entry["path"])))
    console.print(table)


def _check(name: str, path: Path, format: str, options: list[str] | None) -> tuple[dict[str, Any], str | None]:
    """The worker's check in a process of its own: (report, contact sheet as base64)."""
    import base64

    with tempfile.TemporaryDirectory() as folder:
        sheet = Path(folder) / "sheet.png"
        command = [
            sys.executable,
            "-m",
            "worker.data",
            "check",
            "--name",
            name,
            "--format",
            format,
            "--sheet",
            str(sheet),
            "--cache",
            str(get_settings().cache),
        ]
        for option in options or []:
            command += ["--option", option]
        done = subprocess.run(
            [*command, str(path.expanduser().absolute())], capture_output=True, text=True, check=False
        )
        if done.returncode != 0 and not done.stdout.strip():
            raise InvalidInput((done.stderr.strip().splitlines() or ["the check ended without a word"])[-1])
        picture = base64.b64encode(sheet.read_bytes()).decode() if sheet.is_file() else None
        return json.loads(done.stdout), picture


def _print_report(report: dict[str, Any]) -> None:
    for split, parts in report["splits"].items():
        console.print(escape(f"split {split}: " + ", ".join(f"{n:,} {part}" for part, n in parts.items())))
    if report["depth"]:
        depth, holes = report["depth"], 100 * report["invalid_share"]
        console.print(
            f"frames {report['height']}×{report['width']}; depth {depth['min']:.2f}–{depth['max']:.2f} m, median {depth['median']:.2f} m"
        )
        console.print(
            f"{holes:.1f} % of pixels have no depth; {report['counts']['decoded']} of {report['counts']['frames']} frames read in full"
        )
    for warning in report["warnings"]:
        console.print(f"[yellow]warning[/yellow] {escape(warning)}", highlight=False)
    for problem in report["problems"]:
        console.print(f"[red]problem[/red] {escape(problem)}", highlight=False)


def main() -> None:
    """Entry point: errors are sentences, not tracebacks."""
    try:
        app()
    except DepthboardError as error:
        Console(stderr=True).print(f"[red]✕[/red] {escape(str(error))}", highlight=False)
        sys.exit(2)


if __name__ == "__main__":
    main()
