"""`python -m bench.tracking`: the targets of tracking, ours beside each peer that is installed, in one run."""

from __future__ import annotations

import argparse
import json
import os
import platform
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Generator, Sequence
from pathlib import Path
from typing import Any

from bench.tracking import environments
from bench.tracking.compare import Pairing, compare
from bench.tracking.ours import Ours
from bench.tracking.peer_mlflow import MLflow
from bench.tracking.peer_trackio import Trackio
from bench.tracking.rows import ROWS, Row
from bench.tracking.side import Side
from bench.tracking.table import as_json, table

SIDES: dict[str, Callable[[Path, Path], Side]] = {"trackio": Trackio, "mlflow": MLflow}
ROUNDS = 5


def main(arguments: Sequence[str] | None = None) -> int:
    options = parse(arguments)
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # so that `kill` too stops the servers
    pythons, missing = _interpreters(options.peers)
    rows = [row for row in ROWS if not options.rows or row.key in options.rows]
    with tempfile.TemporaryDirectory(prefix="depthboard-bench-", dir=options.folder) as folder:
        pairings = _until_stopped(measure(rows, pythons, Path(folder), options.rounds))
    pairings.sort(key=lambda pairing: rows.index(pairing.row))
    print(
        f"{processor()}, {os.cpu_count()} cores, Python {platform.python_version()}; medians of {options.rounds} rounds"
    )
    print(table(pairings, missing))
    if options.json:
        written = as_json(pairings, missing, processor=processor(), cores=os.cpu_count(), peers=environments.PEERS)
        options.json.write_text(json.dumps(written, indent=1) + "\n")
    return 0


def _until_stopped(measured: Generator[Pairing, None, None]) -> list[Pairing]:
    """All of them, or those before Ctrl-C."""
    pairings = []
    try:
        for pairing in measured:
            pairings.append(pairing)
    except KeyboardInterrupt:
        print("stopped; what was measured:", file=sys.stderr)
    finally:
        measured.close()
    return pairings


def parse(arguments: Sequence[str] | None) -> Any:
    parser = argparse.ArgumentParser(prog="python -m bench.tracking", description=__doc__)
    parser.add_argument(
        "--peers", type=_peers, help="of trackio,mlflow: make their environments where they are not yet there"
    )
    parser.add_argument(
        "--rows", type=lambda text: text.split(","), help=f"only some of {','.join(r.key for r in ROWS)}"
    )
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--json", type=Path, metavar="FILE", help="write every measured value")
    parser.add_argument("--folder", type=Path, help="where the temporary records are; some GB")
    return parser.parse_args(arguments)


def _peers(text: str) -> list[str]:
    names = [name for name in text.split(",") if name]
    for name in names:
        if name not in SIDES:
            raise argparse.ArgumentTypeError(f"there is no peer {name}: choose of {', '.join(SIDES)}")
    return names


def _interpreters(asked: list[str] | None) -> tuple[dict[str, Path], dict[str, str]]:
    """The interpreters of the peers to be compared, and why the others are not. Those asked for are installed."""
    found, missing = {}, {}
    for peer in SIDES:
        try:
            python = environments.install(peer) if peer in (asked or ()) else environments.python_of(peer)
        except subprocess.CalledProcessError:
            missing[peer] = f"pip cannot install {environments.PEERS[peer]}"
            continue
        if python is None:
            missing[peer] = f"not installed; --peers {peer} installs it"
        else:
            found[peer] = python
    return found, missing


def measure(rows: Sequence[Row], pythons: dict[str, Path], folder: Path, rounds: int) -> Generator[Pairing, None, None]:
    """All rows beside the first peer, then beside each other one those that it has."""
    ours = Ours(folder / "ours")
    try:
        if not pythons:
            yield from compare(rows, ours, None, rounds)
        for place, (peer, python) in enumerate(pythons.items()):
            side = SIDES[peer](python, folder / peer)
            try:
                print(f"beside {environments.PEERS[peer]}", file=sys.stderr)
                yield from compare([r for r in rows if place == 0 or r.key in side.pieces], ours, side, rounds)
            finally:
                side.stop()
    finally:
        ours.stop()


def processor() -> str:
    """Its name where the system says it."""
    known = Path("/proc/cpuinfo")
    lines = known.read_text().splitlines() if known.is_file() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()


if __name__ == "__main__":
    sys.exit(main())
