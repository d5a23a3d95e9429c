from __future__ import annotations

import csv
import io

import pytest

from backend.figures import results, results_text, sharpness
from backend.figures.selector import Selection
from backend.figures.table import ResultsTable
from tests.backend.figures.world import World

STEPS = [300, 400, 500]
FULL = {"data": {"height": 256, "width": 320}}


@pytest.fixture
def table(world: World) -> ResultsTable:
    for seed, error in ((0, 0.1), (1, 0.3)):
        run = world.run("l1", 64, seed)
        world.errors(run, STEPS, [error] * 3)
    world.constant(run, 0.9)
    return results.gather(world.session, Selection(world.id))


def test_csv_holds_every_digit_of_every_row(table: ResultsTable) -> None:
    read = list(csv.DictReader(io.StringIO(results_text.to_csv(table))))
    assert len(read) == len(table.rows)
    ours = read[0]
    assert float(ours["rmse"]) == table.rows[0].values["rmse"]
    assert float(ours["rmse_std"]) == table.rows[0].spread["rmse"]
    assert (ours["kind"], ours["label"], ours["n"], ours["train_size"]) == ("run", "L1", "2", "64")
    assert ours["run_ids"] == " ".join(map(str, table.rows[0].run_ids))
    assert (read[1]["kind"], read[1]["rmse_std"], read[3]["log10"]) == ("constant", "", "")


def test_latex_is_a_booktabs_table_with_caption_and_run_ids(table: ResultsTable) -> None:
    text = results_text.to_latex(table)
    lines = text.splitlines()
    for rule in (r"\toprule", r"\midrule", r"\bottomrule", r"\begin{table}", r"\end{table}"):
        assert rule in lines
    ours = next(line for line in lines if line.startswith("L1"))
    assert r"$\mathbf{0.200} \pm 0.141$" in ours
    assert ours.endswith(f"% runs {table.rows[0].run_ids[0]}–{table.rows[0].run_ids[1]}")
    assert r"\multicolumn{4}{l}{Published, quoted} \\" in lines
    caption = next(line for line in lines if line.startswith(r"\caption"))
    assert f"Runs {table.rows[0].run_ids[0]}--{table.rows[0].run_ids[1]}." in caption


def test_the_best_mean_of_one_data_set_and_size_is_bold_and_no_published_one(world: World) -> None:
    """rmse is the error: 0.2 against 0.3 at 64 images; at 128 two print as 0.500; the published rows have lower ones."""
    for loss, size, error in (("l1", 64, 0.2), ("l2", 64, 0.3), ("l1", 128, 0.5), ("l2", 128, 0.50001)):
        world.errors(world.run(loss, size), STEPS, [error] * 3)
    text = results_text.to_latex(results.gather(world.session, Selection(world.id)))
    rows = {tuple(line.split(" & ")[:3:2]): line.split(" & ")[6] for line in text.splitlines() if line.startswith("L")}
    assert rows[("L1", "64")] == r"$\mathbf{0.200}$"
    assert rows[("L2", "64")] == "$0.300$"
    assert rows[("L1", "128")] == rows[("L2", "128")] == r"$\mathbf{0.500}$"
    assert text.index(r"\mathbf") < text.index("Published, quoted")
    assert r"\mathbf" not in text[text.index("Published, quoted") :]
    assert "% bold: the best mean of ours on one data set at one size; no test decides it." in text


def test_every_latex_row_has_the_columns_of_the_head(table: ResultsTable) -> None:
    rows = [line.split(r" \\")[0] for line in results_text.to_latex(table).splitlines() if " & " in line]
    assert {row.replace(r"\&", "").count("&") for row in rows} == {10}


def test_characters_that_latex_reads_as_commands_are_escaped() -> None:
    assert results_text.latex("a_b & 5 % {x} ~^\\ <δ") == (
        r"a\_b \& 5 \% \{x\} \textasciitilde{}\textasciicircum{}\textbackslash{} $<$$\delta$"
    )


def test_run_numbers_are_written_as_ranges() -> None:
    assert results_text.ranges([7, 1, 2, 3]) == "1–3, 7"
    assert results_text.ranges([]) == ""


def test_the_sharpness_table_has_its_own_headings_in_csv_and_latex(world: World) -> None:
    world.edges(world.run(config=FULL), 500, mae_edge=0.25, dbe_acc=1.5, gradient_ratio_edge=0.8)
    made = sharpness.gather(world.session, Selection(world.id))
    (ours,) = csv.DictReader(io.StringIO(results_text.to_csv(made)))
    assert (ours["mae_edge"], ours["dbe_acc"], ours["mae_flat"], ours["note"]) == ("0.25", "1.5", "", made.rows[0].note)
    text = results_text.to_latex(made)
    assert r"mae edge (m) & mae flat (m) & $\nabla$ edge & $\nabla$ all & F1@0.25 (\%)" in text
    assert r"$\mathbf{0.250}$ & -- & $\mathbf{0.80}$" in text
    assert r"mae flat undefined in 1 of 1, $\nabla$ all undefined in 1 of 1" in text
    rows = [line.split(r" \\")[0] for line in text.splitlines() if " & " in line]
    assert {row.replace(r"\&", "").count("&") for row in rows} == {14}
    assert not set(text) - set(map(chr, range(128))), "plain LaTeX"


def test_a_table_of_one_size_and_encoder_holds_those_rows_the_constant_there_and_the_published(world: World) -> None:
    for size, encoder in ((64, "densenet_small"), (64, "resnet_small"), (128, "resnet_small")):
        run = world.run("l1", size, encoder=encoder)
        world.errors(run, STEPS, [0.2] * 3)
        world.constant(run, 0.9)
    table = results.gather(world.session, Selection(world.id, train_size=64, encoder="resnet_small"))
    ours = [(row.kind, row.train_size, row.encoder) for row in table.rows if row.kind != "published"]
    assert ours == [("run", 64, "resnet_small"), ("constant", 64, None)]
    assert any(row.kind == "published" for row in table.rows)
