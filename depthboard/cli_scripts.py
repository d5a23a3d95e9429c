"""The commands about people's own scripts: send what they left behind, and bring in what other tools recorded."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from depthboard import import_csv, import_tensorboard
from depthboard.client import Api
from depthboard.errors import InvalidInput, Unavailable
from depthboard.imports import LONGEST_NAME, Imported, bring, check_name
from depthboard.sending import UNSENT, Refused, left_behind, send
from depthboard.settings import get_settings

import_app = typer.Typer(
    no_args_is_help=True, help="Bring in runs that other tools recorded; a second time adds nothing."
)
console = Console(markup=False, emoji=False, highlight=False)
"""What people call their runs is printed as it is."""
PATIENCE_SECONDS = 10.0

Experiment = Annotated[str, typer.Option(help="The experiment that takes them; by default it is called as the source.")]


def sync(
    again: Annotated[bool, typer.Option(help="Also what the API refused before.")] = False,
    url: Annotated[str, typer.Option(help="Where the API is now, if not where the scripts knew it.")] = "",
) -> None:
    """Send what scripts logged while the API was away, also of scripts that crashed."""
    home, sent, failed = get_settings().spool, 0, 0
    away: set[str] = set()
    if again:
        for mark in home.glob("*/refused"):
            mark.unlink(missing_ok=True)
    strange: list[str] = []
    spools = left_behind(home, strange.append)
    for words in strange:
        _say(words)
    for folder, about in spools:
        about = replace(about, url=url.rstrip("/") or about.url)
        try:
            rows = send(folder, about, _say, 0.0 if about.url in away else PATIENCE_SECONDS)
        except UNSENT as error:
            failed += 1
            if isinstance(error, Unavailable):
                away.add(about.url)
            if not isinstance(error, Refused):  # which the sender tells itself
                _say(f"{about.name}: not sent, kept in {folder}: {error}")
            continue
        if rows is None:
            console.print(f"{about.name}: its script is running, and sends it itself.")
        else:
            sent += 1
            console.print(f"{about.name}: {rows:,} rows sent.")
    kept = len(list(home.glob("*/refused")))
    left = f" {kept} are kept in {home} that were refused; delete them, or try --again." if kept else ""
    console.print(f"{sent} sent.{left}")
    if failed or strange:
        raise typer.Exit(1)


def _say(words: str) -> None:
    console.print(words)


@import_app.command("tensorboard")
def import_from_tensorboard(path: Path, experiment: Experiment = "") -> None:
    """The scalars of a log folder, a run for every folder below it, or of one event file."""
    _bring(import_tensorboard.read(path.expanduser()), experiment or path.resolve().name)


@import_app.command("csv")
def import_from_csv(file: Path, experiment: Experiment = "") -> None:
    """A table with a header: columns step, wall and run say where a row belongs, every other one is a curve."""
    _bring(import_csv.read(file.expanduser()), experiment or file.stem)


def _bring(runs: list[Imported], experiment: str) -> None:
    if not runs:
        raise InvalidInput("there is no number to import.", field="path")
    check_name("an experiment", experiment, "Name one with --experiment.")
    api, url = Api(), get_settings().url
    for run in runs:
        known, new = bring(api, experiment[:LONGEST_NAME], run)
        words = f"{len(run.value):,} points" if new else "it was there already"
        console.print(f"{run.name}: {words}, {url}/runs/{known.run_id}")
    api.close()
