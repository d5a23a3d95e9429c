"""Runs set beside each other: letters and labels, what tells them apart, and the numbers of every figure."""

from __future__ import annotations

import csv
import json
import math
from typing import Any

import numpy as np
import pytest

from backend.figures.compare import COMPARISONS, bars, chosen, differences, entries, lines, paired, parallel, scatter
from backend.figures.compare.chosen import Asked
from backend.figures.tokens import plain
from backend.store.tables import Metric, Run
from depthboard.errors import InvalidInput, NotFound, UnknownName
from depthboard.metrics import SUMS, per_image
from tests.backend.figures.world import World, sums_of


@pytest.fixture
def runs(world: World) -> tuple[int, ...]:
    """L1 at 64 and 512 images, and BerHu at 64, each evaluated at three steps: mae = rmse = rel is the error."""
    made = [world.run("l1", 64), world.run("l1", 512), world.run("berhu", 64, config={"optimiser": {"lr": 1e-2}})]
    for run, error in zip(made, (0.4, 0.2, 0.3), strict=True):
        world.errors(run, (100, 300, 500), (4 * error, 2 * error, error))
    return tuple(run.id for run in made)


def test_a_label_says_the_loss_and_what_differs(world: World, runs: tuple[int, ...]) -> None:
    found = chosen.members(world.session, runs)
    assert [(m.letter, m.label) for m in found] == [
        ("A", "L1, 64 images"),
        ("B", "L1, 512 images"),
        ("C", "BerHu, 64 images"),
    ]
    same = chosen.members(world.session, runs[:1])
    assert [m.label for m in same] == ["L1"]


@pytest.mark.parametrize(
    ("text", "words"), [("", "no run is named"), ("1,x", "'x' is no run"), (",".join(map(str, range(1, 22))), "21 runs")]
)  # fmt: skip
def test_runs_that_cannot_be_read_are_refused_with_what_to_write(text: str, words: str) -> None:
    with pytest.raises(InvalidInput, match=words) as refused:
        chosen.parse_runs(text)
    assert refused.value.field == "runs"


def test_runs_are_named_once_and_a_missing_one_is_named(world: World, runs: tuple[int, ...]) -> None:
    assert chosen.parse_runs(" 3, 1,3") == (3, 1)
    with pytest.raises(NotFound, match="there is no run 999"):
        chosen.members(world.session, (*runs, 999))


def test_what_differs_stands_first_and_defaults_are_resolved(world: World, runs: tuple[int, ...]) -> None:
    rows = differences.rows(chosen.members(world.session, runs))
    found = {row.path: row.values for row in rows if row.differs}
    assert found["data.train_size"] == (64, 512, 64)
    assert found["loss.name"] == ("l1", "l1", "berhu")
    assert found["optimiser.lr"] == (1e-4, 1e-4, 1e-2) or found["optimiser.lr"][2] == 1e-2
    assert [row.differs for row in rows] == sorted((row.differs for row in rows), reverse=True)
    assert "seed" in {row.path for row in rows if not row.differs}


def test_a_whole_number_is_not_the_same_as_true() -> None:
    assert differences.Row("x", "setting", (1, True)).differs
    assert not differences.Row("x", "setting", ((0.1), 0.1)).differs


def test_lines_lie_at_the_images_seen_and_hold_the_evaluations(world: World, runs: tuple[int, ...]) -> None:
    found = lines.gather(world.session, Asked(runs))
    assert (found.measure, found.x) == ("rmse", "images")
    assert [line.x.tolist() for line in found.lines] == [[800, 2400, 4000]] * 3
    np.testing.assert_allclose(found.lines[1].value, [0.8, 0.4, 0.2])
    epochs = lines.gather(world.session, Asked(runs, x="epoch"))
    assert epochs.lines[0].x.tolist() == [12.5, 37.5, 62.5]
    drawn = lines.draw(found, "light")
    assert [note.text for note in drawn.layout.annotations] == ["<b>A</b>", "<b>B</b>", "<b>C</b>"]


def test_lines_lie_at_their_hours_on_axes_of_time_which_runs_on_gpus_have_all(world: World) -> None:
    alone, pair = world.run("l1"), world.run("l2", gpus=2)
    for run, device in ((alone, "cpu"), (pair, "NVIDIA H200")):
        world.attempt(run, 1, device)
        for step, hours in ((100, 0), (300, 1), (500, 3)):
            world.errors(run, [step], [0.5], wall=1e9 + 3600 * hours)
    runs = (alone.id, pair.id)
    (offered,) = [entry.options["x"] for entry in entries(world.session, runs) if entry.name == "lines"]
    assert offered == ["images", "epoch", "step", "hours", "wall", "gpu"]
    found = {x: lines.gather(world.session, Asked(runs, x=x)) for x in offered}  # type: ignore[arg-type]
    due = {"images": [800, 2400, 4000], "epoch": [12.5, 37.5, 62.5], "step": [100, 300, 500]}
    due |= {"hours": [0, 1, 3], "wall": [0, 1, 3], "gpu": [0, 2, 6]}
    assert {x: lines.lines[-1].x.tolist() for x, lines in found.items()} == due
    assert [member.letter for member in found["gpu"].without] == ["A"]
    assert "GPU hours are hours of training times" in lines.draw(found["gpu"], "light").layout.meta["caption"]
    assert "gpu" not in lines.axes(world.session, chosen.members(world.session, runs[:1]))


def test_the_numbers_of_each_figure_come_as_rows_with_the_runs_they_are_of(world: World, runs: tuple[int, ...]) -> None:
    def written(name: str, **asked: Any) -> list[list[str]]:
        view = COMPARISONS[name]
        return list(
            csv.reader(view.to_csv(view.gather(world.session, Asked(runs, value="last", **asked))).splitlines())
        )

    first = [str(runs[0]), "L1, 64 images"]
    names, *bar = written("bars")
    assert (names, bar[0][:3]) == (["letter", "run_id", "label", "rmse"], ["A", *first])
    assert [float(row[3]) for row in bar] == pytest.approx([0.4, 0.2, 0.3])
    names, *line = written("lines")
    assert names == ["letter", "run_id", "label", "images", "rmse"]
    np.testing.assert_allclose(
        [[float(cell) for cell in row[3:]] for row in line[:3]], [[800, 1.6], [2400, 0.8], [4000, 0.4]]
    )
    names, *point = written("scatter", metric="mae", horizontal="abs_rel")
    assert names == ["letter", "run_id", "label", "abs_rel", "mae"]
    assert [float(cell) for cell in point[0][3:]] == pytest.approx([0.4, 0.4])
    assert [row[0] for row in written("parallel")[1:]] == ["A", "B", "C"]
    assert written("paired")[0][:2] == ["position", "image"]


def test_a_bar_is_the_runs_value_by_the_selector(world: World, runs: tuple[int, ...]) -> None:
    last = bars.gather(world.session, Asked(runs, value="last", metric="mae"))
    assert [last.values[id] for id in runs] == pytest.approx([0.4, 0.2, 0.3])
    mean = bars.gather(world.session, Asked(runs, metric="mae"))
    assert mean.values[runs[0]] == pytest.approx((1.6 + 0.8 + 0.4) / 3)
    (bar,) = bars.draw(last, "dark").data
    assert list(bar.x) == pytest.approx([0.4, 0.2, 0.3])


def test_a_point_has_both_metrics_and_stands_in_both_distributions(world: World, runs: tuple[int, ...]) -> None:
    found = scatter.gather(world.session, Asked(runs, value="last"))
    assert (found.vertical, found.horizontal) == ("rmse", "abs_rel")
    assert [(m.letter, x, y) for m, x, y in found.points] == [
        ("A", pytest.approx(0.4), pytest.approx(0.4)),
        ("B", pytest.approx(0.2), pytest.approx(0.2)),
        ("C", pytest.approx(0.3), pytest.approx(0.3)),
    ]
    for kind in ("box", "histogram"):
        figure = scatter.draw(scatter.gather(world.session, Asked(runs, value="last", marginal=kind)), "light")
        edges = [trace for trace in figure.data if trace.meta["role"] == "marginal"]
        assert [trace.type for trace in edges] == [kind, kind]
        assert list(edges[0].x) == pytest.approx([0.4, 0.2, 0.3])


def test_an_axis_runs_from_the_lowest_to_the_highest_and_wide_ones_are_logarithmic(
    world: World, runs: tuple[int, ...]
) -> None:
    found = parallel.gather(world.session, Asked(runs, value="last"))
    axes = {axis.title: axis for axis in found.axes}
    assert axes["training images"].places == (0, 1, 0)
    assert axes["loss"].places == (0, 0, 1)
    assert axes["RMSE (m)"].places == pytest.approx((1, 0, 0.5))
    assert axes["RMSE (m)"].words == ("0.400 m", "0.200 m", "0.300 m")
    lr = parallel._setting("optimiser.lr", [1e-4, 1e-3, 1e-2])
    assert lr.places == pytest.approx((0, 0.5, 1))
    assert parallel._setting("x", [1, 2, 5]).places == pytest.approx((0, 0.25, 1))
    assert parallel._setting("x", ["a", None, True]).words == ("a", "none", "on")


# --- image by image ----------------------------------------------------------------------------------------------------


def two(world: World, **second: Any) -> tuple[int, int]:
    """Two runs on three images of two pixels at 1 m: off by (0.1, 0.2, 0.3) m and by (0.2, 0.2, 0.1) m."""
    a, b = world.run("l1"), world.run("berhu", **second)
    for run, errors in ((a, (0.1, 0.2, 0.3)), (b, (0.2, 0.2, 0.1))):
        world.errors(run, [100], [9.0])
        world.evaluate(run, 500, sums_of(np.ones((3, 2)), 1 + np.array(errors)[:, None] * np.ones((3, 2))))
    return a.id, b.id


def test_images_are_paired_by_their_place_at_the_last_evaluation(world: World) -> None:
    found = paired.gather(world.session, Asked(two(world)))
    assert found.steps == (500, 500)
    assert [image.position for image in found.images] == [0, 1, 2]
    np.testing.assert_allclose([(i.a, i.b) for i in found.images], [(0.1, 0.2), (0.2, 0.2), (0.3, 0.1)], rtol=1e-12)
    assert found.better == (1, 1, 1)
    assert found.mean_difference == pytest.approx((0.1 + 0.2 + 0.3 - 0.2 - 0.2 - 0.1) / 3, rel=1e-12)
    caption = paired.draw(found, "light").layout.meta["caption"]
    assert "A is better on 1, B on 1, neither on 1; mean of A − B: +0.033 m." in caption


def test_paired_values_are_those_of_the_stored_sums_in_float64(world: World) -> None:
    rng = np.random.default_rng(20261122)
    runs, sums = [world.run("l1"), world.run("berhu")], []
    for run in runs:
        truth = rng.uniform(1, 9, (50, 30))
        sums.append(sums_of(truth, truth * rng.uniform(0.7, 1.4, truth.shape)))
        world.evaluate(run, 500, sums[-1])
    for metric, reference in {
        "rmse": lambda s: np.sqrt(s[:, SUMS.index("sq")] / s[:, 0]),
        "abs_rel": lambda s: s[:, SUMS.index("abs_rel")] / s[:, 0],
        "delta1": lambda s: s[:, SUMS.index("delta1")] / s[:, 0],
    }.items():
        found = paired.gather(world.session, Asked((runs[0].id, runs[1].id), metric=metric))
        np.testing.assert_array_equal([image.a for image in found.images], reference(sums[0]))
        np.testing.assert_array_equal([image.b for image in found.images], reference(sums[1]))
        sign = -1 if metric == "delta1" else 1
        wins = int((sign * reference(sums[0]) < sign * reference(sums[1])).sum())
        assert found.better[0] == wins
        np.testing.assert_array_equal([i.a for i in found.images], per_image(sums[0])[metric])


@pytest.mark.parametrize(
    ("second", "words"),
    [
        pytest.param({"dataset": "halls"}, "different data and different versions of the data", id="data"),
        pytest.param(
            {"config": {"evaluation": {"split": "validation"}, "data": {"validation": 0.1}}},
            "different images",
            id="part",
        ),
        pytest.param({"config": {"evaluation": {"crop": "eigen"}}}, "different protocols", id="protocol"),
    ],
)
def test_runs_evaluated_differently_are_not_paired_and_the_figure_says_why(
    world: World, second: dict[str, Any], words: str
) -> None:
    found = paired.gather(world.session, Asked(two(world, **second)))
    assert found.images == ()
    assert words in found.refused
    assert words in paired.draw(found, "dark").layout.annotations[0].text


def test_a_run_alone_or_not_yet_evaluated_is_refused_in_words(world: World) -> None:
    a = world.run("l1").id
    assert "Choose two runs" in paired.gather(world.session, Asked((a,))).refused
    b = world.run("l2").id
    assert paired.gather(world.session, Asked((a, b))).refused == "A and B have not been evaluated yet."
    assert "the same run" in paired.gather(world.session, Asked((a, b), a=a, b=a)).refused


def test_an_image_without_a_value_is_left_out_and_counted(world: World) -> None:
    a, b = world.run("l1"), world.run("berhu")
    sums = sums_of(np.ones((3, 2)), np.full((3, 2), 1.5))
    holed = sums.copy()
    holed[1] = 0  # no valid pixel
    world.evaluate(a, 500, sums)
    world.evaluate(b, 500, holed)
    found = paired.gather(world.session, Asked((a.id, b.id)))
    assert ([image.position for image in found.images], found.undefined) == ([0, 2], 1)


def test_a_point_whose_depth_map_is_kept_leads_to_its_pixels(world: World) -> None:
    ids = two(world)
    frame = world.frame(np.full((2, 3), 1000, np.uint16), name="office/0001", position=1)
    for run in world.session.query(Run).filter(Run.id.in_(ids)):
        world.predict(run, 500, frame, np.full((2, 3), 1100, np.uint16))
    images = paired.gather(world.session, Asked(ids)).images
    assert [image.link for image in images] == [
        "",
        f"/experiments/{world.id}/qualitative?train_size=64&encoder=densenet_small&seed=0&row={frame.id}&a={ids[0]}&b={ids[1]}",
        "",
    ]
    assert images[1].name == "office/0001"


# --- all of them -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", sorted(COMPARISONS))
def test_each_figure_is_drawn_of_one_run_without_evaluations_too(world: World, name: str) -> None:
    view = COMPARISONS[name]
    bare = (world.run("gan", status="queued").id,)
    for runs in (bare, two(world)):
        for theme in ("light", "dark"):
            figure = view.draw(view.gather(world.session, Asked(runs)), theme)  # type: ignore[arg-type]
            assert "caption" in figure.layout.meta
            assert math.isfinite(figure.layout.height)


def test_an_option_that_there_is_not_is_refused_with_those_that_there_are(world: World) -> None:
    options = COMPARISONS["bars"].options
    with pytest.raises(UnknownName, match="no option colour"):
        chosen.parse((1,), {"colour": "red"}, options)
    with pytest.raises(UnknownName, match="value cannot be 'best'"):
        chosen.parse((1,), {"value": "best"}, options)
    with pytest.raises(InvalidInput, match="a is none of the runs compared"):
        chosen.parse((1, 2), {"a": "3"}, COMPARISONS["paired"].options)
    found = {entry.name: entry.options for entry in entries(world.session, two(world))}
    assert found["bars"]["metric"][0] == "rmse"
    assert found["lines"]["x"][0] == "images"
    assert found["paired"]["a"] == ["1", "2"]


KEY = "D&G %{x} <b>loss</b>"
"""A key that a figure could take for an entity, a template's place and a tag."""


def logged(world: World) -> tuple[int, ...]:
    """Two scripts' runs with a value of KEY and of `other`."""
    runs = [world.run(loss) for loss in ("l1", "l2")]
    for run in runs:
        run.kind, run.name = "script", f"R&D {run.loss}"
        world.session.add_all(Metric(run_id=run.id, name=key, number=run.id, step=1) for key in (KEY, "other"))
    world.session.flush()
    return tuple(run.id for run in runs)


@pytest.mark.parametrize("name", ["bars", "lines", "parallel", "scatter"])
def test_a_logged_key_and_a_name_are_escaped_once_in_the_figure_and_nowhere_else(world: World, name: str) -> None:
    view = COMPARISONS[name]
    numbers = view.gather(world.session, Asked(logged(world), metric=KEY, horizontal="other"))
    drawn = json.loads(view.draw(numbers, "light").to_json())
    said = drawn["layout"].pop("meta")
    assert (KEY in said["title"]) == (name != "parallel"), "which is of all settings"
    assert "&amp;" not in said["title"] + said["caption"]
    assert KEY in next(csv.reader(view.to_csv(numbers).splitlines()))
    shown = json.dumps(drawn)
    assert plain(KEY) in shown
    assert KEY not in shown
    assert "&amp;amp;" not in shown


def test_names_that_people_gave_are_no_markup(world: World) -> None:
    run = world.run("l1")
    run.kind, run.name = "script", "<b>x</b><img src=x onerror=alert(1)>"
    run.config = {"params": {"<i>lr</i>": "<u>1</u>"}}
    world.session.flush()
    other = world.run("l2")
    for name in ("lines", "bars", "scatter", "parallel"):
        view = COMPARISONS[name]
        assert "<img" not in view.draw(view.gather(world.session, Asked((run.id, other.id))), "light").to_json()
