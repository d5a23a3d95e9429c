"""`python -m bench.scale`: how the time of pages and figures grows with the record, on PostgreSQL through the real API.

Two ways to grow: more and more runs of 10,000 points each, and 100 runs of more and more points. Each size is a database of its own that is
dropped afterwards, with a server of its own. They are asked in turn, so that a noisy neighbour touches all sizes alike, and never the same
twice, so that nothing answers from a cache of answers.
"""

from __future__ import annotations

import argparse
import getpass
import json
import os
import signal
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from urllib.parse import urlencode

import orjson
import plotly.graph_objects as go
import psycopg
from plotly.subplots import make_subplots
from pydantic import SecretStr
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
FILTERED, LISTED = "50 of all runs, filtered and sorted", "param.loss.name"
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00")
METRICS = ("mae", "rmse", "abs_rel", "log10")


@dataclass(frozen=True)
class Size:
    """So many runs, each with len(KEYS) curves of so many steps."""

    runs: int
    steps: int

    @property
    def points(self) -> int:
        return self.runs * self.steps * len(KEYS)


@dataclass(frozen=True)
class Measured:
    """Milliseconds of one kind of request at one size."""

    size: Size
    asked: str
    milliseconds: list[float]

    @property
    def median(self) -> float:
        return statistics.median(self.milliseconds)


@dataclass(frozen=True)
class Record:
    """A filled database behind a server; `asked`: kind of request -> its paths."""

    size: Size
    http: Http
    asked: dict[str, list[str]]


def requests(experiment: int, run: int) -> dict[str, list[str]]:
    """What people look at -> paths, each to be asked once, the first to warm up. Of the experiment and the run in the middle."""
    of, sorts = f"/api/experiments/{experiment}", ("-rmse", "rmse", "-step", "-loss", "mae", "-mae", "-seed")
    listed = [{"filter": f"{LISTED} = {LOSSES[0]}", "sort": f"-metric.{key}", "size": 50} for key in (*METRICS, *KEYS)]
    drawn = [{"metric": metric, "x": x} for metric in METRICS for x in ("epoch", "step")]
    return {
        FILTERED: [f"/api/runs?{urlencode(query)}" for query in listed],
        "page of an experiment's runs": [f"{of}/runs?{urlencode({'sort': sort})}" for sort in sorts],
        "its convergence figure": [f"{of}/figures/convergence?{urlencode(query)}" for query in drawn],
        "a curve of its 50 runs": [f"{of}/curves?{urlencode({'key': key, 'max_points': 1000})}" for key in KEYS],
        "all curves of a run": [f"/api/runs/{run}/metrics?max_points={most}" for most in range(1000, 1008)],
    }


@contextmanager
def record(server: URL, size: Size, folder: Path) -> Iterator[Record]:
    """A database of this size, filled and served until the block ends."""
    with fresh_database(server, size) as url:
        experiments = fill(url, size)
        log = folder / "server.log"
        home, middle = folder / f"{size.runs}x{size.steps}", experiments[len(experiments) // 2]
        with serve(home, log, url.render_as_string(hide_password=False)) as api, Http(api.url) as http:
            run = orjson.loads(http.get(f"/api/experiments/{middle}/runs?size=1"))["items"][0]["id"]
            yield Record(size, http, requests(middle, run))


def measure(records: Sequence[Record]) -> list[Measured]:
    """Every kind of request, the records in turn. What the API does not answer is said and left out."""
    found = []
    for asked in records[0].asked:
        taken: list[list[float]] = [[] for _ in records]
        try:
            for turn in zip(*(record.asked[asked] for record in records), strict=True):
                for record, path, times in zip(records, turn, taken, strict=True):
                    times.append(_milliseconds(record, path))
        except Failed as error:
            print(f"  {asked}: {error}", file=sys.stderr)
            continue
        found += [Measured(record.size, asked, times[1:]) for record, times in zip(records, taken, strict=True)]
    return found


def _milliseconds(record: Record, path: str) -> float:
    began = time.perf_counter()
    answer = record.http.get(path)
    taken = 1000 * (time.perf_counter() - began)
    if path in record.asked[FILTERED]:
        _check_filter(answer, record.size.runs // len(LOSSES))
    return taken


def _check_filter(answer: bytes, due: int) -> None:
    """Raises Failed unless so many runs pass the filter."""
    total = orjson.loads(answer)["total"]
    if total != due:
        raise Failed(f"the filter lets {total} runs through where {due} are due")


@contextmanager
def fresh_database(server: URL, size: Size) -> Iterator[URL]:
    """A new empty database, dropped afterwards."""
    name = f"depthboard_scale_{os.getpid()}_{size.runs}_{size.steps}"
    plain = server.set(drivername="postgresql").render_as_string(hide_password=False)
    with psycopg.connect(plain, autocommit=True) as connection:
        connection.execute(f'create database "{name}"')
    try:
        yield server.set(database=name)
    finally:
        with psycopg.connect(plain, autocommit=True) as connection:
            connection.execute(f'drop database "{name}" with (force)')


def fill(url: URL, size: Size) -> list[int]:
    """Experiments of EXPERIMENT_RUNS runs each; their ids."""
    settings = Settings(_env_file=None, database_url=SecretStr(url.render_as_string(hide_password=False)))
    pool, began = make_pool(size.steps), time.monotonic()
    database = open_database(settings)
    try:
        experiments = [add_experiment(database, n, pool) for n in range(size.runs // EXPERIMENT_RUNS)]
    finally:
        database.close()
    plain = url.set(drivername="postgresql").render_as_string(hide_password=False)
    with psycopg.connect(plain, autocommit=True) as connection:
        connection.execute("vacuum analyze")
        held = connection.execute("select pg_database_size(current_database())").fetchone()
    taken, gigabytes = time.monotonic() - began, (held[0] if held else 0) / 1e9
    print(f"  {size.runs} runs, {size.points:,} points: {taken:.0f} s, {gigabytes:.2f} GB", file=sys.stderr)
    return experiments


def draw(measured: Sequence[Measured]) -> go.Figure:
    """Milliseconds against the size, both on log axes; a panel for each way to grow, a line a kind of request."""
    titles = ["more runs, 10⁴ points each", "100 runs, more points each"]
    figure = make_subplots(1, 2, shared_yaxes=True, subplot_titles=titles, horizontal_spacing=0.04)
    for colour, asked in zip(COLOURS, dict.fromkeys(m.asked for m in measured), strict=False):
        line = [m for m in measured if m.asked == asked]
        more_runs, more_points = (
            [m for m in line if m.size.steps == STEPS[0]],
            [m for m in line if m.size.runs == RUNS[0]],
        )
        _add_line(figure, 1, colour, [m.size.runs for m in more_runs], more_runs)
        _add_line(figure, 2, colour, [m.size.points for m in more_points], more_points)
    return _lay_out(figure)


def _add_line(figure: go.Figure, column: int, colour: str, sizes: list[int], line: Sequence[Measured]) -> None:
    middle = [m.median for m in line]
    above = [max(m.milliseconds) - m.median for m in line]
    below = [m.median - min(m.milliseconds) for m in line]
    figure.add_scatter(
        x=sizes,
        y=middle,
        error_y={"array": above, "arrayminus": below, "thickness": 1, "width": 3},
        name=line[0].asked,
        legendgroup=line[0].asked,
        showlegend=column == 1,
        mode="lines+markers",
        line={"color": colour, "width": 2},
        row=1,
        col=column,
    )


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
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # so that `kill` too drops the databases
    sizes = [Size(runs, STEPS[0]) for runs in RUNS[: options.sizes]]
    sizes += [Size(RUNS[0], steps) for steps in STEPS[1 : options.sizes]]
    with tempfile.TemporaryDirectory(prefix="depthboard-scale-") as folder, ExitStack() as opened:
        measured = measure([opened.enter_context(record(options.postgresql, size, Path(folder))) for size in sizes])
    for m in measured:
        print(f"{m.size.runs:6d} runs {m.size.points:12,} points  {m.asked:36s} {m.median:8.1f} ms")
    write(measured, options.out)
    return 0


if __name__ == "__main__":
    sys.exit(main())
