"""Blocks in turn, the ratio of neighbours, and the table of them."""

from __future__ import annotations

import json
from collections.abc import Callable, Generator
from pathlib import Path

import pytest

from bench.tracking import environments
from bench.tracking.__main__ import _until_stopped, parse
from bench.tracking.compare import Measured, Pairing, compare
from bench.tracking.rows import ROWS, Row
from bench.tracking.side import NotThere, Side
from bench.tracking.table import as_json, number, table

SPEED = Row("bulk-1", "bulk endpoint", "points/s", True, times={"trackio": 2})
TIME = Row("page", "page of runs", "ms", most=10)


class Fake(Side):
    """A side that answers from lists and writes down when it was asked."""

    server_log = Path("/nowhere")

    def __init__(self, name: str, asked: list[str], **numbers: list[float] | Exception) -> None:
        self.name, self.notes = name, {"page": "by hand"}
        self.pieces = {key.replace("_", "-"): self._piece(asked, found) for key, found in numbers.items()}

    def _piece(self, asked: list[str], found: list[float] | Exception) -> Callable[[], float]:
        left = iter(found) if isinstance(found, list) else iter(())

        def piece() -> float:
            asked.append(self.name)
            if isinstance(found, Exception):
                raise found
            return next(left)

        return piece


def test_the_sides_take_turns_in_being_first() -> None:
    asked: list[str] = []
    ours, peer = Fake("ours", asked, page=[1.0] * 3), Fake("trackio", asked, page=[1.0] * 3)
    list(compare([TIME], ours, peer, rounds=3))
    assert asked == ["ours", "trackio", "trackio", "ours", "ours", "trackio"]


def test_the_first_block_of_a_rate_does_not_count() -> None:
    asked: list[str] = []
    ours = Fake("ours", asked, bulk_1=[1.0, 300.0, 400.0])
    peer = Fake("trackio", asked, bulk_1=[1.0, 100.0, 100.0])
    (pairing,) = compare([SPEED], ours, peer, rounds=2)
    assert pairing.ours.values == [300.0, 400.0]
    assert pairing.ratios == [3.0, 4.0]
    assert pairing.met is True


def test_of_times_the_smaller_is_the_better() -> None:
    pairing = Pairing(TIME, Measured([5.0, 20.0]), "trackio", Measured([20.0, 20.0]))
    assert pairing.ratios == [4.0, 1.0]
    assert pairing.met is False, "12.5 ms is more than 10"


def test_a_target_that_cannot_be_judged_is_neither_met_nor_missed() -> None:
    assert Pairing(SPEED, Measured([500.0])).met is None
    assert Pairing(TIME, Measured(reason="not there yet")).met is None


def test_a_run_that_is_stopped_keeps_what_was_measured() -> None:
    def measured() -> Generator[Pairing, None, None]:
        yield Pairing(TIME, Measured([1.0]))
        raise KeyboardInterrupt

    assert [pairing.ours.values for pairing in _until_stopped(measured())] == [[1.0]]


def test_one_piece_that_fails_loses_no_other() -> None:
    asked: list[str] = []
    ours = Fake("ours", asked, bulk_1=NotThere("POST …"), page=[9.0, 8.0])
    peer = Fake("trackio", asked, bulk_1=[1.0, 1.0, 1.0], page=ValueError("odd"))
    speed, page = compare([SPEED, TIME], ours, peer, rounds=2)
    assert (speed.ours.values, speed.ours.reason) == ([], "POST …")
    assert (page.theirs.values, page.theirs.reason) == ([], "failed: ValueError: odd")
    assert (page.ours.values, page.met) == ([9.0, 8.0], True)


def test_a_failure_is_told_with_the_servers_last_words(tmp_path: Path) -> None:
    ours = Fake("ours", [], page=ConnectionRefusedError("refused"))
    ours.server_log = tmp_path / "server.log"
    ours.server_log.write_text("listening\nout of memory\n")
    (pairing,) = compare([TIME], ours, None, rounds=1)
    assert pairing.ours.reason == "failed: ConnectionRefusedError: refused (its server said: out of memory)"


def test_the_table_says_ours_the_peer_the_ratio_and_the_target() -> None:
    pairings = [
        Pairing(SPEED, Measured([900_000, 960_000, 990_000]), "trackio", Measured([300_000, 300_000, 300_000])),
        Pairing(TIME, Measured([12.5], note="by hand"), busy=[50.0, 60.0]),
    ]
    lines = table(pairings, {"mlflow": "not installed; --peers mlflow installs it"}).splitlines()
    assert lines[2].split("  ")[0] == "bulk endpoint"
    for cell in ("960k points/s", "trackio 300k points/s", "3.2 [3..3.3]", "≥ 2 × trackio", "yes"):
        assert cell in lines[2]
    for cell in ("12.5 ms", "≤ 10 ms", "NO"):
        assert cell in lines[3]
    assert "mlflow: not installed; --peers mlflow installs it" in lines
    assert "page of runs, ours: by hand" in lines


def test_the_json_holds_every_round() -> None:
    pairing = Pairing(SPEED, Measured([3.0, 4.0]), "trackio", Measured([1.0, 2.0]))
    (row,) = json.loads(json.dumps(as_json([pairing], {}, cores=2)))["rows"]
    assert row["ours"]["values"] == [3.0, 4.0]
    assert row["theirs"]["values"] == [1.0, 2.0]
    assert row["ratios"] == [3.0, 2.0]


@pytest.mark.parametrize(
    ("value", "unit", "shown"),
    [(1_048_576, "points/s", "1,049k points/s"), (0.3856, "s", "0.386 s"), (1043.7, "MB", "1,044 MB")],
)
def test_numbers_are_shown_with_three_digits(value: float, unit: str, shown: str) -> None:
    assert number(Measured([value]), unit) == shown


def test_every_row_is_named_once() -> None:
    assert len({row.key for row in ROWS}) == len(ROWS)


def test_a_peer_of_another_version_is_not_compared(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert environments.python_of("trackio") is None
    mark = environments.folder() / "trackio" / environments.MARK
    mark.parent.mkdir(parents=True)
    mark.write_text("trackio==0.1")
    assert environments.python_of("trackio") is None
    mark.write_text(environments.PEERS["trackio"])
    assert environments.python_of("trackio") == mark.with_name("bin") / "python"


def test_a_peer_that_is_not_known_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        parse(["--peers", "trackio,wandb"])
    assert "there is no peer wandb" in capsys.readouterr().err
    assert parse(["--peers", ""]).peers == []
