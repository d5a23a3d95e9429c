"""`python -m bench.scale`: how the time of pages and figures grows with the record, on PostgreSQL through the real API.

Two ways to grow, each in a database of its own that is dropped afterwards: more and more runs of 10,000 points each, and 100 runs of more and
more points. Every request is one that was not asked before, so that nothing answers from a cache of answers.
"""

from __future__ import annotations

import argparse
import getpass
import json
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from urllib.parse import urlencode

import orjson
import plotly.graph_objects as go
import psycopg
from plotly.subplots import make_subplots
from sqlalchemy.engine import URL, make_url

from backend.app import open_database
from backend.figures.export import CHROMIUM
from backend.figures.tokens import FONT, PALETTES
from bench.filling import EXPERIMENT_RUNS, KEYS, LOSSES, add_experiment, make_pool
from bench.tracking.ours import serve
from bench.tracking.processes import Failed, Http
from depthboard.settings import Settings

SERVER = os.environ.get(
    "DEPTHBOARD_TEST_POSTGRESQL", f"postgresql+psycopg://{getpass.getuser()}@127.0.0.1:5432/postgres"
)
RUNS = (100, 1_000, 10_000)
STEPS = (1_250, 12_500, 125_000)
"""Times len(KEYS): 10⁴, 10⁵, 10⁶ points a run."""
OUT = Path(__file__).resolve().parents[1] / "docs" / "scale"
FILTERED, LISTED = "50 of all runs, filtered and sorted", "params.loss.name"
METRICS = ("mae", "rmse", "abs_rel", "log10")


@dataclass(frozen=True)
class Measured:
    """Milliseconds of one kind of request at one size."""

    grown: str
    runs: int
    points: int
    asked: str
    milliseconds: list[float]

    @property
    def median(self) -> float:
        return statistics.median(self.milliseconds)


def requests(experiment: int, run: int) -> dict[str, list[str]]:
    """What people look at -> paths, each to be asked once, the first to warm up. Of the experiment and the run in the middle."""
    of, sorts = f"/api/experiments/{experiment}", ("-rmse", "rmse", "-step", "-loss", "mae", "-mae", "-seed")
    listed = [{"filter": f"{LISTED}={LOSSES[0]}", "sort": f"-metrics.{key}", "size": 50} for key in (*METRICS, *KEYS)]
    drawn = [{"metric": metric, "x": x} for metric in METRICS for x in ("epoch", "step")]
    return {
        FILTERED: [f"/api/runs?{urlencode(query)}" for query in listed],
        "page of an experiment's runs": [f"{of}/runs?{urlencode({'sort': sort})}" for sort in sorts],
        "its convergence figure": [f"{of}/figures/convergence?{urlencode(query)}" for query in drawn],
        "a curve of its 50 runs": [f"{of}/curves?{urlencode({'key': key, 'max_points': 1000})}" for key in KEYS],
        "all curves of a run": [f"/api/runs/{run}/metrics?max_points={most}" for most in range(1000, 1008)],
    }


def measure(database: URL, grown: str, experiments: Sequence[int], steps: int, folder: Path) -> list[Measured]:
    """Every kind of request against a server of its own. What the API does not answer is said and left out."""
    runs, middle = len(experiments) * EXPERIMENT_RUNS, experiments[len(experiments) // 2]
    found = []
    with serve(folder, folder / "server.log", database.render_as_string(hide_password=False)) as server:
        http = Http(server.url)
        run = orjson.loads(http.get(f"/api/experiments/{middle}/runs?size=1"))["items"][0]["id"]
        for asked, paths in requests(middle, run).items():
            try:
                if asked == FILTERED:
                    _check_filter(http.get(paths[0]), runs // len(LOSSES))
                taken = [_milliseconds(http, path) for path in paths][1:]
            except Failed as error:
                print(f"  {asked}: {error}", file=sys.stderr)
                continue
            found.append(Measured(grown, runs, runs * steps * len(KEYS), asked, taken))
    return found


def _check_filter(answer: bytes, due: int) -> None:
    """Raises Failed unless so many runs pass the filter."""
    total = orjson.loads(answer)["total"]
    if total != due:
        raise Failed(f"the filter lets {total} runs through where {due} are due")


def _milliseconds(http: Http, path: str) -> float:
    began = time.perf_counter()
    http.get(path)
    return 1000 * (time.perf_counter() - began)


@contextmanager
def fresh_database(server: URL) -> Iterator[URL]:
    """A new empty database, dropped afterwards."""
    name = f"depthboard_scale_{os.getpid()}"
    plain = server.set(drivername="postgresql").render_as_string(hide_password=False)
    with psycopg.connect(plain, autocommit=True) as connection:
        connection.execute(f'create database "{name}"')
    try:
        yield server.set(database=name)
    finally:
        with psycopg.connect(plain, autocommit=True) as connection:
            connection.execute(f'drop database "{name}" with (force)')


def fill(url: URL, have: int, want: int, steps: int) -> list[int]:
    """Add experiments until there are `want` runs; the ids of those added."""
    settings = Settings(_env_file=None, database_url=url.render_as_string(hide_password=False))
    pool, began = make_pool(steps), time.monotonic()
    database = open_database(settings)
    try:
        added = [add_experiment(database, n, pool) for n in range(have // EXPERIMENT_RUNS, want // EXPERIMENT_RUNS)]
    finally:
        database.close()
    plain = url.set(drivername="postgresql").render_as_string(hide_password=False)
    with psycopg.connect(plain, autocommit=True) as connection:
        connection.execute("vacuum analyze")
        size = connection.execute("select pg_database_size(current_database())").fetchone()
    print(
        f"  {want} runs of {steps * len(KEYS):,} points: filled in {time.monotonic() - began:.0f} s, "
        f"{size[0] / 1e9 if size else 0:.2f} GB",
        file=sys.stderr,
    )
    return added


def grow_runs(server: URL, folder: Path, sizes: Sequence[int]) -> list[Measured]:
    found, experiments = [], []
    with fresh_database(server) as url:
        for have, want in zip((0, *sizes), sizes, strict=False):
            experiments += fill(url, have, want, STEPS[0])
            found += measure(url, "runs", experiments, STEPS[0], folder)
    return found


def grow_points(server: URL, folder: Path, steps: Sequence[int]) -> list[Measured]:
    found = []
    for length in steps:
        with fresh_database(server) as url:
            experiments = fill(url, 0, RUNS[0], length)
            found += measure(url, "points", experiments, length, folder)
    return found


def draw(measured: Sequence[Measured]) -> go.Figure:
    """Milliseconds against the size, both on log axes; a panel for each way to grow, a line a kind of request."""
    titles = {"runs": "more runs, 10⁴ points each", "points": "100 runs, more points each"}
    figure = make_subplots(1, 2, shared_yaxes=True, subplot_titles=list(titles.values()), horizontal_spacing=0.04)
    kinds = list(dict.fromkeys(m.asked for m in measured))
    for column, grown in enumerate(titles, start=1):
        for colour, asked in zip(PALETTE, kinds, strict=False):
            line = [m for m in measured if (m.grown, m.asked) == (grown, asked)]
            figure.add_scatter(
                x=[m.runs if grown == "runs" else m.points for m in line],
                y=[m.median for m in line],
                error_y={
                    "array": [max(m.milliseconds) - m.median for m in line],
                    "arrayminus": [m.median - min(m.milliseconds) for m in line],
                    "thickness": 1,
                    "width": 3,
                },
                name=asked,
                legendgroup=asked,
                showlegend=column == 1,
                mode="lines+markers",
                line={"color": colour, "width": 2},
                row=1,
                col=column,
            )
    return _lay_out(figure)


def _lay_out(figure: go.Figure) -> go.Figure:
    figure.update_xaxes(type="log", dtick=1, exponentformat="power")
    figure.update_xaxes(title_text="runs in the record", row=1, col=1)
    figure.update_xaxes(title_text="points in the record", row=1, col=2)
    figure.update_yaxes(type="log", range=[0, 3.3], dtick=1)
    figure.update_yaxes(title_text="milliseconds, median and range", row=1, col=1)
    palette = PALETTES["light"]
    figure.update_layout(
        template="plotly_white",
        width=1000,
        height=440,
        font={"family": FONT, "size": 13, "color": palette.text},
        legend={"orientation": "h", "y": -0.22},
        margin={"t": 40, "r": 20, "b": 20, "l": 70},
    )
    return figure


PALETTE = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00")


def write(measured: Sequence[Measured], out: Path) -> None:
    """The plot as SVG and PNG, and the numbers as JSON beside them."""
    figure = draw(measured)
    size = {"width": figure.layout.width, "height": figure.layout.height}
    for format, scale in (("svg", 1), ("png", 2)):
        drawn = CHROMIUM.draw(figure.to_dict(), {"format": format, "scale": scale, **size})
        out.with_suffix(f".{format}").write_bytes(drawn)
    out.with_suffix(".json").write_text(json.dumps([asdict(m) for m in measured], indent=1) + "\n")


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.scale", description=__doc__)
    parser.add_argument("--postgresql", type=make_url, default=make_url(SERVER), metavar="URL")
    parser.add_argument("--out", type=Path, default=OUT, help="path of the plot without its ending")
    parser.add_argument(
        "--sizes", type=int, default=3, choices=(1, 2, 3), help="of the sizes only the smallest so many"
    )
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="depthboard-scale-") as folder:
        measured = grow_runs(options.postgresql, Path(folder), RUNS[: options.sizes])
        measured += grow_points(options.postgresql, Path(folder), STEPS[: options.sizes])
    for m in measured:
        print(f"{m.grown:7s} {m.runs:6d} runs {m.points:12,} points  {m.asked:36s} {m.median:8.1f} ms")
    write(measured, options.out)
    return 0


if __name__ == "__main__":
    sys.exit(main())
