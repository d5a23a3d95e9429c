"""`python -m worker.data check --format F [--option k=v] PATH`: the report as JSON on standard output.

Run by `depthboard data add` in a process of its own, so that the core needs no decoder of any format. The exit status is 0 where runs can
train on the dataset, 1 where the report names problems.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from depthboard.datasets import DatasetReport
from depthboard.errors import DepthboardError
from worker.data import open_source
from worker.data.check import SAMPLE, check, failed


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m worker.data")
    command = parser.add_subparsers(required=True).add_parser("check", help="look a dataset over")
    command.add_argument("path", nargs="?", default="", help="the dataset; not needed for rooms")
    command.add_argument("--format", required=True)
    command.add_argument("--option", action="append", default=[], metavar="KEY=VALUE", type=_pair)
    command.add_argument("--name", default="", help="name of the dataset in the report")
    command.add_argument("--sheet", type=Path, help="write the contact sheet to this PNG file")
    command.add_argument("--sample", type=int, default=SAMPLE, help="frames to decode in full")
    command.add_argument("--cache", type=Path, help="folder in which content hashes are remembered")
    given = parser.parse_args(arguments)
    report, sheet = _checked(given)
    if given.sheet and sheet:
        given.sheet.write_bytes(sheet)
    sys.stdout.write(report.model_dump_json(indent=2) + "\n")
    return 0 if report.usable else 1


def _checked(given: argparse.Namespace) -> tuple[DatasetReport, bytes]:
    try:
        source = open_source(given.format, given.path, dict(given.option))
        return check(source, given.name, sample=given.sample, cache=given.cache)
    except DepthboardError as error:
        return failed(given.name, given.format, given.path, error), b""


def _pair(text: str) -> tuple[str, str]:
    key, equals, value = text.partition("=")
    if not key or not equals:
        raise argparse.ArgumentTypeError(f"{text!r} is not KEY=VALUE")
    return key, value


if __name__ == "__main__":
    sys.exit(main())
