"""Runs that other tools recorded: as they were, and once however often they are imported."""

from __future__ import annotations

import math
import shutil
from pathlib import Path

import pytest

from depthboard import import_csv, import_tensorboard
from depthboard.client import Api
from depthboard.errors import InvalidInput
from depthboard.imports import Imported, bring
from tests.scripts.conftest import Machine


def curve(run: Imported, key: str) -> tuple[list[int], list[float], list[float]]:
    """(steps, walls, values) of a key."""
    at = [i for i, number in enumerate(run.key) if run.keys[number] == key]
    return [run.step[i] for i in at], [run.wall[i] for i in at], [run.value[i] for i in at]


def write_log(folder: Path, steps: int = 5) -> None:
    """As a person's script writes it with tensorboardX."""
    tensorboard = pytest.importorskip("tensorboardX")
    with tensorboard.SummaryWriter(str(folder), write_to_disk=True) as writer:
        for step in range(steps):
            writer.add_scalar("train/loss", 1 / (step + 1), step, walltime=1e9 + step)
        writer.add_scalar("train/loss", math.nan, steps, walltime=1e9 + steps)
        writer.add_text("note", "no number", 0)
        writer.add_histogram("weights", [1.0, 2.0], 0)


def test_scalars_of_an_event_file_keep_their_steps_wall_times_and_nan(tmp_path: Path) -> None:
    write_log(tmp_path / "logs" / "l1")
    (run,) = import_tensorboard.read(tmp_path / "logs")
    assert (run.name, run.keys) == ("l1", ["train/loss"])
    steps, walls, values = curve(run, "train/loss")
    assert steps == list(range(6))
    assert walls == [1e9 + step for step in range(6)]
    assert values[:5] == pytest.approx([1 / (step + 1) for step in range(5)])
    assert math.isnan(values[5])


def test_scalars_that_were_written_as_tensors_are_read_too(tmp_path: Path) -> None:
    protos = pytest.importorskip("tensorboardX.proto.event_pb2")
    tensorboard = pytest.importorskip("tensorboardX")
    summary = pytest.importorskip("tensorboardX.proto.summary_pb2")
    tensor = pytest.importorskip("tensorboardX.proto.tensor_pb2")
    values = [
        summary.Summary.Value(tag="float", tensor=tensor.TensorProto(dtype=1, float_val=[0.5])),
        summary.Summary.Value(tag="double", tensor=tensor.TensorProto(dtype=2, double_val=[0.25])),
        summary.Summary.Value(tag="bytes", tensor=tensor.TensorProto(dtype=1, tensor_content=b"\x00\x00\x00\x40")),
        summary.Summary.Value(tag="words", tensor=tensor.TensorProto(dtype=7, string_val=[b"a"])),
    ]
    with tensorboard.SummaryWriter(str(tmp_path / "tf2")) as writer:
        event = protos.Event(step=7, wall_time=1e9, summary=summary.Summary(value=values))
        writer.file_writer.event_writer.add_event(event)
    (run,) = import_tensorboard.read(tmp_path / "tf2")
    assert dict(zip(run.keys, run.value, strict=True)) == {"float": 0.5, "double": 0.25, "bytes": 2.0}
    assert set(run.step) == {7}


def test_a_file_that_a_killed_script_left_is_read_to_its_last_whole_record(tmp_path: Path) -> None:
    write_log(tmp_path / "cut")
    (file,) = (tmp_path / "cut").iterdir()
    file.write_bytes(file.read_bytes()[:-3])
    (run,) = import_tensorboard.read(file)
    assert len(run.value) >= 5


RECORD_OF_NOTHING = (12).to_bytes(8, "little") + bytes(4) + b"\x0b" * 16


@pytest.mark.parametrize("content", [b"hello, this is no event file at all", b"\xff" * 100, RECORD_OF_NOTHING])
def test_what_is_no_event_file_is_refused_in_a_sentence(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "a.tfevents.1"
    file.write_bytes(content)
    with pytest.raises(InvalidInput, match="is no event file"):
        import_tensorboard.read(file)


def test_an_event_file_to_which_nothing_was_written_yet_is_no_run(tmp_path: Path) -> None:
    (tmp_path / "a.tfevents.1").write_bytes(b"")
    assert import_tensorboard.read(tmp_path) == []


def test_a_folder_without_event_files_is_refused_in_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="there is no event file"):
        import_tensorboard.read(tmp_path)
    with pytest.raises(InvalidInput, match="there is no event file"):
        import_tensorboard.read(tmp_path / "nowhere")


def csv(tmp_path: Path, text: str) -> Path:
    file = tmp_path / "old.csv"
    file.write_text(text)
    return file


def test_a_table_is_split_by_its_run_column_and_empty_cells_are_no_values(tmp_path: Path) -> None:
    text = "run,step,wall,loss,val rmse\na,0,10,1.5,\nb,0,2001-09-09T01:46:40Z,nan,inf\n\na,5,12.5,0.5,0.25\n"
    first, second = import_csv.read(csv(tmp_path, text))
    assert (first.name, second.name) == ("a", "b")
    assert curve(first, "loss") == ([0, 5], [10, 12.5], [1.5, 0.5])
    assert curve(first, "val rmse") == ([5], [12.5], [0.25])
    assert curve(second, "val rmse") == ([0], [1e9], [math.inf])


def test_a_table_without_steps_is_counted_and_one_by_epochs_keeps_them(tmp_path: Path) -> None:
    (run,) = import_csv.read(csv(tmp_path, "loss\n3\n2\n"))
    assert (run.name, run.timed) == ("old", False)
    assert curve(run, "loss") == ([0, 1], [0, 0], [3, 2])
    (run,) = import_csv.read(csv(tmp_path, "epoch,loss\n1,3\n2,2\n"))
    assert curve(run, "loss")[0] == [1, 2]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "the header of .* is empty"),
        ("a,a\n1,2\n", "names 'a' twice"),
        ("a,\n1,2\n", "twice or not at all"),
        ("step,loss\n1\n", "line 2 of .* has 1 cells and the header 2"),
        ("step,loss\n1,0.5\n2,bad\n", "line 3 of .*, column loss: 'bad' is no number"),
        ("step,loss\n1.5,1\n", "line 2 of .*, column step"),
        ("step,loss\n-1,1\n", "line 2 of .*, column step"),
        ("wall,loss\nyesterday,1\n", "line 2 of .*, column wall: 'yesterday' is no time"),
    ],
)
def test_a_table_that_cannot_be_read_is_refused_by_line_and_column(tmp_path: Path, text: str, words: str) -> None:
    with pytest.raises(InvalidInput, match=words):
        import_csv.read(csv(tmp_path, text))


def test_a_file_that_is_no_text_is_refused_in_a_sentence(tmp_path: Path) -> None:
    file = tmp_path / "a.csv"
    file.write_bytes(b"\xff\xfe\x00")
    for path in (file, tmp_path / "nowhere.csv"):
        with pytest.raises(InvalidInput, match="cannot be read"):
            import_csv.read(path)


def test_importing_twice_adds_nothing_also_from_another_place(person: Machine) -> None:
    folder = person.home / "logs"
    write_log(folder / "l1", steps=12_000)
    write_log(folder / "l2")
    for words in ("12,001 points", "it was there already"):
        done = person.command("import", "tensorboard", str(folder), "--experiment", "old runs")
        assert done.returncode == 0, done.stderr
        assert words in done.stdout
    shutil.move(folder, person.home / "moved")
    done = person.command("import", "tensorboard", str(person.home / "moved"), "--experiment", "old runs")
    assert done.stdout.count("it was there already") == 2
    first, second = person.runs()
    assert (first["status"], first["kind"], first["name"], second["name"]) == ("finished", "script", "l1", "l2")
    series = person.series(first["id"], "train/loss")
    assert series["step"] == list(range(12_001))
    assert series["wall"][0] == 1e9
    assert series["nonfinite"] == [[12_000, "nan"]]
    assert first["started_at"].startswith("2001-09-09T01:46:40")
    assert first["finished_at"].startswith("2001-09-09T05:06:40")


def test_a_run_begins_at_the_first_time_that_is_one(person: Machine, tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("run,step,wall,loss\na,0,nan,1.5\na,1,1000000100,0.9\na,2,1000000200,0.8\n")
    (run,) = import_csv.read(tmp_path / "a.csv")
    assert sorted(run.wall) == [0.0, 1000000100.0, 1000000200.0]
    api = Api(person.url)
    known, _ = bring(api, "old", run)
    found = api.json("GET", f"/api/runs/{known.run_id}")
    api.close()
    assert found["started_at"].startswith("2001-09-09")


def test_a_table_is_imported_by_the_command(person: Machine) -> None:
    file = csv(person.home, "run,step,loss\na,0,1\na,1,0.5\nb,0,2\n")
    done = person.command("import", "csv", str(file))
    assert done.returncode == 0, done.stderr
    assert [run["name"] for run in person.runs()] == ["a", "b"]
    refused = person.command("import", "csv", str(csv(person.home, "loss\nmuch\n")))
    assert refused.returncode == 2
    assert "column loss" in refused.stderr


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (f"run,loss\n{'r' * 200},1\n{'r' * 200}a,2\n", "line 3 of .* has 201 characters, and the record holds 200"),
        ("run,loss\na\x07,1\n", "is no name of a run .line 2 of"),
        ("loss,note\n1," + "x" * 140_000 + "\n", "line 2 of .* is no CSV .*field limit"),
        (f"step,loss\n{2**40 + 1},1\n", f"step {2**40 + 1} .*not between 0 and {2**40}"),
    ],
    ids=["long", "control", "large", "step"],
)
def test_what_the_record_cannot_hold_is_refused_in_a_sentence(tmp_path: Path, text: str, words: str) -> None:
    with pytest.raises(InvalidInput, match=words):
        import_csv.read(csv(tmp_path, text))


@pytest.mark.parametrize("odd", ["\x85", "\u2028"])
def test_a_table_is_cut_at_ends_of_lines_only(tmp_path: Path, odd: str) -> None:
    (run,) = import_csv.read(csv(tmp_path, f"run,loss\na{odd}b,1\na{odd}b,2\n"))
    assert (run.name, run.value) == (f"a{odd}b", [1, 2])


def test_the_end_of_a_line_within_quotes_is_of_the_cell(tmp_path: Path) -> None:
    (run,) = import_csv.read(csv(tmp_path, 'loss,val\n"1\n",2\n'))
    assert run.value == [1, 2]
    with pytest.raises(InvalidInput, match="is no name of a run"):
        import_csv.read(csv(tmp_path, 'run,loss\n"a\nb",1\n'))


def test_of_two_folders_whose_names_begin_alike_each_keeps_its_own(tmp_path: Path) -> None:
    for last in "ab":
        write_log(tmp_path / ("x" * 150) / ("y" * 60 + last))
    first, second = import_tensorboard.read(tmp_path)
    assert first.name != second.name


def test_a_folder_of_no_name_for_a_run_is_refused_in_a_sentence(tmp_path: Path) -> None:
    write_log(tmp_path / "a\nb")
    with pytest.raises(InvalidInput, match="Rename the folder"):
        import_tensorboard.read(tmp_path)


def test_a_folder_that_is_called_as_an_event_file_is_none_and_a_dangling_link_is_told(tmp_path: Path) -> None:
    write_log(tmp_path / "x.tfevents")
    assert [run.name for run in import_tensorboard.read(tmp_path)] == ["x.tfevents"]
    (tmp_path / "y.tfevents").symlink_to(tmp_path / "nowhere")
    with pytest.raises(InvalidInput, match=r"y\.tfevents cannot be read"):
        import_tensorboard.read(tmp_path)


def test_a_number_without_end_is_refused_at_once(tmp_path: Path) -> None:
    file = tmp_path / "a.tfevents.1"
    file.write_bytes((10**6).to_bytes(8, "little") + bytes(4) + b"\xff" * 10**6 + bytes(4))
    with pytest.raises(InvalidInput, match="a number has no end"):
        import_tensorboard.read(file)
