from __future__ import annotations

from typing import Any

import numpy as np
import plotly.graph_objects as go
import pytest

from backend.figures import captions, convergence
from backend.figures.aggregate import BANDS, Band
from backend.figures.selector import Selection
from backend.figures.tokens import LOSS_TOKENS, Theme
from depthboard.config import LOSS_CONFIGS
from depthboard.errors import UnknownName
from tests.backend.figures.world import World

STEPS = [100, 200, 300, 400, 500]


def numbers(world: World, **chosen: Any) -> convergence.Convergence:
    return convergence.gather(world.session, Selection(world.id, **chosen))


def traces(figure: go.Figure, role: str) -> list[Any]:
    return [trace for trace in figure.data if (trace.meta or {}).get("role") == role]


def two_seeds(world: World) -> None:
    world.errors(world.run("l1", seed=0), STEPS, [0.9, 0.5, 0.3, 0.2, 0.1])
    world.errors(world.run("l1", seed=1), STEPS, [0.7, 0.5, 0.1, 0.4, 0.3])


def test_a_line_is_the_mean_over_seeds_with_its_deviation_and_n(world: World) -> None:
    two_seeds(world)
    line = numbers(world).panels[0].lines[0]
    rows = np.array([[0.9, 0.5, 0.3, 0.2, 0.1], [0.7, 0.5, 0.1, 0.4, 0.3]])
    np.testing.assert_allclose(line.mean, rows.mean(axis=0), rtol=1e-12)
    np.testing.assert_allclose(np.array(line.std, float), rows.std(axis=0, ddof=1), atol=1e-12)
    assert line.n == (2, 2, 2, 2, 2)


def test_epochs_are_images_seen_over_the_training_images(world: World) -> None:
    two_seeds(world)
    # batch 8, 64 training images: 100 steps are 12.5 epochs and 800 images
    assert numbers(world).panels[0].lines[0].x == (12.5, 25.0, 37.5, 50.0, 62.5)
    assert numbers(world, x="images").panels[0].lines[0].x == (800, 1600, 2400, 3200, 4000)
    assert numbers(world, x="step").panels[0].lines[0].x == (100, 200, 300, 400, 500)


def seed(world: World, number: int, hours: list[float], **given: Any) -> None:
    """A seed whose evaluations were done so many hours after its first record."""
    run = world.run("l1", seed=number, **given)
    for step, after in zip([0, *STEPS], [0.0, *hours], strict=False):
        world.errors(run, [step], [0.5 + 0.1 * number], wall=1e9 + 3600 * after)


def test_on_an_axis_of_hours_a_point_lies_at_the_mean_of_its_seeds_hours_at_that_step(world: World) -> None:
    seed(world, 0, [1, 2, 3, 4, 5])
    seed(world, 1, [2, 4, 6, 8, 10])
    found = numbers(world, x="hours")
    (line,) = found.panels[0].lines
    np.testing.assert_allclose(line.x, [0, 1.5, 3, 4.5, 6, 7.5], rtol=1e-12)
    np.testing.assert_allclose(line.mean, [0.55] * 6, rtol=1e-12)
    np.testing.assert_allclose(np.array(line.std, float), [0.1 / 2**0.5] * 6, rtol=1e-12)
    assert found.panels[0].x_end == 7.5
    assert "A point lies at the mean of its seeds' hours at that step." in found.caption
    figure = convergence.draw(found, "light")
    assert "mean hours of training" in traces(figure, "mean")[0].hovertemplate
    assert (figure.layout.xaxis.title.text, tuple(figure.layout.xaxis.range)) == ("hours of training", (0, 7.5))


def test_in_hours_a_line_does_not_turn_back_where_a_slower_seed_is_behind(world: World) -> None:
    seed(world, 0, [1, 2, 3, 4, 5])
    seed(world, 1, [3, 6], status="running")
    (line,) = numbers(world, x="hours").panels[0].lines
    # the means are 0, 2, 4, then the first seed's own 3, 4, 5
    assert line.x == (0, 2, 4, 4, 4, 5)
    assert line.n == (2, 2, 2, 1, 1, 1)


def test_a_divergence_is_marked_at_the_runs_own_hours(world: World) -> None:
    seed(world, 0, [1, 2, 3, 4, 5])
    seed(world, 1, [2, 4, 6], diverged_at=250)
    found = numbers(world, x="hours")
    assert [(d.step, d.x) for d in found.panels[0].lines[0].diverged] == [(250, 4)]
    assert numbers(world, x="hours", published=True).panels[0].quotes == ()


def test_without_any_evaluation_the_axis_of_hours_is_drawn_all_the_same(world: World) -> None:
    world.run(status="queued")
    figure = convergence.draw(numbers(world, x="hours"), "light")
    assert tuple(figure.layout.xaxis.range) == (0, 1)


def test_a_seed_that_is_behind_lowers_n_from_there_on(world: World) -> None:
    world.errors(world.run("l1", seed=0), STEPS, [0.5] * 5)
    world.errors(world.run("l1", seed=1, status="running"), STEPS[:2], [0.7, 0.7])
    line = numbers(world).panels[0].lines[0]
    assert line.n == (2, 2, 1, 1, 1)
    assert line.std[2:] == (None, None, None)
    assert line.mean == pytest.approx((0.6, 0.6, 0.5, 0.5, 0.5))


def test_the_end_mark_is_the_selectors_value_of_the_finished_runs(world: World) -> None:
    two_seeds(world)
    world.errors(world.run("l1", seed=2, status="running"), STEPS[:1], [9.0])
    end = numbers(world).panels[0].lines[0].end
    assert end is not None
    # last three: (0.3+0.2+0.1)/3 = 0.2 and (0.1+0.4+0.3)/3 = 0.8/3
    assert (end.mean, end.n) == pytest.approx(((0.2 + 0.8 / 3) / 2, 2))
    last = numbers(world, value="last").panels[0].lines[0].end
    assert last is not None
    assert last.mean == pytest.approx(0.2)


def test_a_diverged_run_leaves_the_mean_and_is_marked_at_its_last_finite_value(world: World) -> None:
    two_seeds(world)
    broken = world.run("l1", seed=2, diverged_at=250)
    world.errors(broken, STEPS, [0.8, 0.6, 4.0, 4.0, 4.0])
    found = numbers(world)
    line = found.panels[0].lines[0]
    assert line.n == (3, 3, 2, 2, 2)
    (mark,) = line.diverged
    assert (mark.run_id, mark.seed, mark.step, mark.x, mark.value) == pytest.approx((broken.id, 2, 250, 25.0, 0.6))
    assert line.end is not None
    assert line.end.n == 2
    assert f"Diverged: run {broken.id} (seed 2) at step 250; left out of the mean from there on." in found.caption
    marks = traces(convergence.draw(found, "light"), "diverged")
    assert (marks[0].x, marks[0].marker.symbol) == ((25.0,), "x-thin")


def test_there_is_a_panel_a_size_and_a_row_a_dataset(world: World) -> None:
    for size in (64, 16):
        for dataset in ("rooms", "dfd"):
            world.errors(world.run("l1", size, dataset=dataset), STEPS, [0.5] * 5)
    found = numbers(world)
    assert [(p.data, p.train_size) for p in found.panels] == [("dfd", 16), ("dfd", 64), ("rooms", 16), ("rooms", 64)]
    assert found.columns == 2
    names = [a.text for a in convergence.draw(found, "light").layout.annotations if a.name == "row"]
    assert names == ["<b>dfd</b>", "<b>rooms</b>"]


def test_more_sizes_than_fit_beside_each_other_take_another_row(world: World) -> None:
    for size in (8, 16, 32, 64, 128):
        world.errors(world.run("l1", size), STEPS, [0.5] * 5)
    found = numbers(world)
    figure = convergence.draw(found, "light")
    assert found.columns == 4
    assert len([a for a in figure.layout.annotations if a.name == "header"]) == 5
    assert figure.layout.yaxis6.visible is False


def test_one_encoder_is_drawn_the_most_used_unless_another_is_asked_for(world: World) -> None:
    for size in (16, 64):
        world.errors(world.run("l1", size), STEPS, [0.5] * 5)
    world.errors(world.run("l1", 64, encoder="resnet_small"), STEPS, [0.4] * 5)
    assert {line.cell.encoder for panel in numbers(world).panels for line in panel.lines} == {"densenet_small"}
    resnet = numbers(world, encoder="resnet_small")
    assert resnet.panels[0].lines[0].mean[0] == pytest.approx(0.4)
    assert "ResNet small" in resnet.caption
    with pytest.raises(UnknownName, match="no run of this experiment has encoder resnet50"):
        numbers(world, encoder="resnet50")


def test_the_constant_prediction_inside_the_axis_is_a_dashed_line(world: World) -> None:
    run = world.run()
    world.errors(run, STEPS, [0.9, 0.8, 0.7, 0.6, 0.5])
    world.constant(run, 0.75)
    figure = convergence.draw(numbers(world), "light")
    line = next(shape for shape in figure.layout.shapes if shape.name == "constant")
    assert (line.y0, line.y1, line.line.dash) == (pytest.approx(0.75), pytest.approx(0.75), "4px,4px")


def test_the_constant_prediction_beyond_the_axis_hangs_on_its_edge_with_the_value(world: World) -> None:
    run = world.run()
    world.errors(run, STEPS, [0.9, 0.8, 0.7, 0.6, 0.5])
    world.constant(run, 3.0)
    figure = convergence.draw(numbers(world), "light")
    assert not figure.layout.shapes
    assert [a.text for a in figure.layout.annotations if a.name == "constant"] == ["↑ constant 3.000 m"]
    assert figure.layout.yaxis.range[1] < 1


def test_early_values_that_would_squeeze_the_rest_are_cut_and_the_caption_says_so(world: World) -> None:
    world.errors(world.run(), STEPS, [9.0, 0.50, 0.45, 0.42, 0.40])
    found = numbers(world)
    assert convergence.draw(found, "light").layout.yaxis.range[1] < 1
    assert "Early values beyond the axis are cut off." in found.caption
    log = numbers(world, y_log=True)
    assert 10 ** convergence.draw(log, "light").layout.yaxis.range[1] > 9
    assert "cut off" not in log.caption


def test_shares_are_stored_from_0_to_1_and_drawn_in_per_cent(world: World) -> None:
    world.errors(world.run(), STEPS, [0.4, 0.4, 0.2, 0.2, 0.2])
    found = numbers(world, metric="delta1")
    assert found.panels[0].lines[0].mean == (0, 0, 1, 1, 1)
    mean = traces(convergence.draw(found, "light"), "mean")[0]
    assert mean.y == (0, 0, 100, 100, 100)
    assert convergence.draw(found, "light").layout.yaxis.title.text == "test δ<1.25 (%)"


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_a_loss_has_its_colour_and_dash_in_every_trace(world: World, theme: Theme) -> None:
    needed = {"lpips": {"weights": "/data/alexnet.pth"}, "sum": {"parts": ["l1", "eigen"]}}
    for loss in LOSS_CONFIGS:
        run = world.run(loss, config={"loss": {"name": loss, **needed.get(loss, {})}})
        world.errors(run, STEPS, [0.5] * 5)
    for trace in traces(convergence.draw(numbers(world), theme), "mean"):
        token = LOSS_TOKENS[trace.meta["loss"]]
        assert (trace.line.color, trace.line.dash) == (token.colour(theme), token.plotly_dash)


def test_the_band_is_the_mean_plus_and_minus_one_deviation_where_n_exceeds_one(world: World) -> None:
    two_seeds(world)
    band = traces(convergence.draw(numbers(world), "light"), "band")[0]
    # at 12.5 epochs: 0.8 ± 0.1·√2
    assert (band.y[0], band.y[-1]) == (pytest.approx(0.8 + 0.02**0.5), pytest.approx(0.8 - 0.02**0.5))


def test_published_curves_are_quoted_in_metres_beside_nyuv2_runs_alone(world: World) -> None:
    world.errors(world.run("l1", 795, dataset="nyuv2", format="nyuv2_mat"), STEPS, [0.5] * 5)
    found = numbers(world, published=True)
    quote = next(q for q in found.panels[0].quotes if q.loss == "l1")
    assert (quote.x[-1], quote.value[-1]) == pytest.approx((518.93, 0.0929 * 5))
    assert "never averaged with runs" in found.caption
    assert numbers(world).panels[0].quotes == ()
    assert numbers(world, published=True, x="step").panels[0].quotes == ()
    assert numbers(world, published=True, x="images").panels[0].quotes[0].x[-1] == pytest.approx(518.93 * 795)
    drawn = traces(convergence.draw(found, "light"), "published")
    assert {trace.line.dash for trace in drawn} == {"5px,4px"}


def test_published_curves_are_not_drawn_beside_other_data(world: World) -> None:
    world.errors(world.run("l1", 795), STEPS, [0.5] * 5)
    found = numbers(world, published=True)
    assert found.panels[0].quotes == ()
    assert "not drawn here" in found.caption


def test_the_caption_names_split_protocol_selector_subset_seeds_and_every_run(world: World) -> None:
    two_seeds(world)
    world.run("l2", status="queued")
    world.run("gan", status="failed")
    caption = numbers(world).caption
    for words in (
        "Evaluated on the test split, protocol none-0.001-10m-64x96-per-image-v2.",
        "Mean over seeds ± sample standard deviation, n = 2.",
        "End mark: mean of the last three evaluations.",
        "Training subsets: equally spaced.",
        "4 runs: 2 drawn, 1 not there yet, 1 failed.",
    ):
        assert words in caption


def test_a_random_subset_is_named(world: World) -> None:
    world.errors(world.run(config={"data": {"subset": {"kind": "random", "seed": 3}}}), STEPS, [0.5] * 5)
    assert "Training subsets: random (seed 3)." in numbers(world).caption


def test_an_experiment_without_evaluations_draws_its_panels_and_says_so(world: World) -> None:
    world.run(status="queued")
    figure = convergence.draw(numbers(world), "dark")
    assert [a.text for a in figure.layout.annotations if a.name == "notice"] == ["No evaluation yet."]


def test_an_experiment_without_runs_says_so(world: World) -> None:
    figure = convergence.draw(numbers(world), "light")
    assert [a.text for a in figure.layout.annotations if a.name == "notice"] == ["No run with evaluations matches."]


SEEDS = ([0.9, 0.5, 0.3], [0.7, 0.5, 0.1], [0.5, 0.8, 0.2])


def three_seeds(world: World, loss: str = "l1", **given: Any) -> None:
    for number, errors in enumerate(SEEDS):
        world.errors(world.run(loss, seed=number, **given), STEPS[:3], errors)


@pytest.mark.parametrize(
    "band, due",
    [
        # at the first point 0.9, 0.7, 0.5: mean 0.7, deviation 0.2, t of two degrees of freedom 4.302653
        ("std", (0.5, 0.9)),
        ("se", (0.7 - 0.2 / 3**0.5, 0.7 + 0.2 / 3**0.5)),
        ("ci95", (0.7 - 4.302653 * 0.2 / 3**0.5, 0.7 + 4.302653 * 0.2 / 3**0.5)),
        ("minmax", (0.5, 0.9)),
    ],
    ids=["std", "se", "ci95", "minmax"],
)
def test_the_band_is_the_one_asked_for_and_the_table_and_caption_follow(
    world: World, band: Band, due: tuple[float, float]
) -> None:
    three_seeds(world)
    found = numbers(world, band=band)
    (line,) = found.panels[0].lines
    assert (line.low[0], line.high[0]) == pytest.approx(due, rel=1e-6)
    figure = convergence.draw(found, "light")
    (outline,) = traces(figure, "band")
    assert (outline.y[-1], outline.y[0]) == pytest.approx(due, rel=1e-5)
    (mean,) = traces(figure, "mean")
    assert mean.customdata[0] == f"± {(due[1] - due[0]) / 2:.3f}, n = 3"
    assert f"Mean over seeds{captions.BAND_WORDS[band]}, n = 3." in found.caption


def test_of_uneven_extremes_the_table_shows_both(world: World) -> None:
    three_seeds(world)
    (mean,) = traces(convergence.draw(numbers(world, band="minmax"), "light"), "mean")
    # the second point: 0.5, 0.5, 0.8, mean 0.6
    assert mean.customdata[1] == "0.500–0.800, n = 3"


def test_single_seeds_are_thin_lines_of_their_own_values_under_the_exact_mean(world: World) -> None:
    three_seeds(world)
    figure = convergence.draw(numbers(world, band="seeds"), "light")
    assert [list(trace.y) for trace in traces(figure, "seed")] == [pytest.approx(errors) for errors in SEEDS]
    assert list(traces(figure, "mean")[0].y) == pytest.approx([0.7, 0.6, 0.2])
    assert traces(figure, "seed")[0].line.width < traces(figure, "mean")[0].line.width
    assert traces(figure, "band") == []


@pytest.mark.parametrize("band", BANDS)
def test_one_run_alone_has_no_band(world: World, band: Band) -> None:
    world.errors(world.run(), STEPS, [0.5] * 5)
    figure = convergence.draw(numbers(world, band=band), "light")
    assert traces(figure, "band") == traces(figure, "seed") == []
    assert traces(figure, "mean")[0].customdata[0] == "n = 1"


def test_the_base_is_thick_and_the_others_thin_with_a_faint_band(world: World) -> None:
    three_seeds(world)
    three_seeds(world, "l2")
    figure = convergence.draw(numbers(world, base="L2"), "light")
    assert figure.layout.meta["base"] == "L2"
    assert {trace.legendgroup: trace.line.width for trace in traces(figure, "mean")} == {"L1": 1.5, "L2": 2.75}
    strength = {trace.legendgroup: float(trace.fillcolor.split(",")[-1][:-1]) for trace in traces(figure, "band")}
    assert strength["L2"] > 2 * strength["L1"]
    with pytest.raises(UnknownName, match="no line GAN") as caught:
        numbers(world, base="GAN")
    assert caught.value.field == "base"


def test_the_target_is_reached_at_the_first_mean_that_is_not_above_it(world: World) -> None:
    three_seeds(world)  # means 0.7, 0.6, 0.2
    world.errors(world.run("l2"), STEPS[:3], [0.9, 0.8, 0.7])
    found = numbers(world, x="step", target=0.6)
    figure = convergence.draw(found, "light")
    reached = {trace.legendgroup: trace.meta["reached"] for trace in traces(figure, "mean")}
    assert reached == {"L1": 200, "L2": None}
    (ring,) = traces(figure, "target")
    assert (ring.legendgroup, ring.x, ring.y) == ("L1", (200,), (pytest.approx(0.6),))
    (line,) = [shape for shape in figure.layout.shapes if shape.name == "target"]
    assert (line.y0, line.y1) == (pytest.approx(0.6), pytest.approx(0.6))
    assert "Rings: where a mean first reaches the target of 0.6 m." in found.caption


def test_a_target_in_per_cent_is_one_to_rise_to_and_lies_beyond_the_axis_with_an_arrow(world: World) -> None:
    world.errors(world.run(), STEPS, [0.4, 0.4, 0.2, 0.2, 0.2])  # δ<1.25 is 0, 0, 1, 1, 1
    figure = convergence.draw(numbers(world, metric="delta1", x="step", target=50), "light")
    assert traces(figure, "mean")[0].meta["reached"] == 300
    far = convergence.draw(numbers(world, target=5), "light")
    assert [a.text for a in far.layout.annotations if a.name == "target"] == ["↑ target 5 m"]
    assert far.layout.yaxis.range[1] < 1


def test_smoothing_keeps_the_raw_means_faint_behind_and_the_caption_says_what_it_is(world: World) -> None:
    three_seeds(world)
    figure = convergence.draw(numbers(world, smoothing=0.5), "light")
    (raw,), (mean,) = traces(figure, "raw"), traces(figure, "mean")
    assert list(raw.y) == pytest.approx([0.7, 0.6, 0.2])
    # weights 1; .5 and 1; .25, .5 and 1
    assert list(mean.y) == pytest.approx([0.7, 0.95 / 1.5, (0.175 + 0.3 + 0.2) / 1.75], rel=1e-6)
    assert raw.opacity < 0.5
    assert figure.layout.meta["caption"].startswith("Lines are smoothed for the eye")


def test_a_group_without_the_encoder_averages_over_it_exactly_and_the_caption_says_so(world: World) -> None:
    for number, encoder in enumerate(["densenet_small", "resnet_small", "resnet_small"]):
        world.errors(world.run("l1", seed=number // 2, encoder=encoder), STEPS[:3], SEEDS[number])
    found = numbers(world, group=("loss", "size"))
    (line,) = found.panels[0].lines
    assert line.mean == pytest.approx((0.7, 0.6, 0.2))
    assert line.n == (3, 3, 3)
    assert (line.cell.label, line.cell.over) == ("L1", ("encoder", "seed"))
    assert "all encoders" in found.caption
    assert "Mean over encoders and seeds ± sample standard deviation, n = 3." in found.caption


def test_without_the_size_in_the_group_there_is_one_panel_with_runs_aligned_at_their_evaluations(world: World) -> None:
    world.errors(world.run("l1", 64), STEPS[:2], [0.8, 0.6])
    short = {"budget": {"images_seen": 1600, "batch_size": 8}}
    world.errors(world.run("l1", 16, config=short), [40, 80], [0.4, 0.2])
    found = numbers(world, x="images", group=("loss",))
    (panel,) = found.panels
    (line,) = panel.lines
    # the first evaluations at 800 and 320 images, the second at 1600 and 640
    assert (line.x, line.mean) == (pytest.approx((560, 1120)), pytest.approx((0.6, 0.4)))
    assert (panel.train_size, panel.images) == (0, 1)
    assert "Runs of different length are averaged at equal shares of their training." in found.caption
    header = next(a for a in convergence.draw(found, "light").layout.annotations if a.name == "header")
    assert "All sizes" in header.text


def test_without_the_loss_in_the_group_a_line_is_in_no_losss_colour(world: World) -> None:
    for loss in ("l1", "l2"):
        three_seeds(world, loss)
    (line,) = numbers(world, group=("size",)).panels[0].lines
    assert (line.cell.loss, line.cell.label, line.n) == ("", "All runs", (6, 6, 6))
    (mean,) = traces(convergence.draw(numbers(world, group=("size",)), "light"), "mean")
    assert mean.line.color not in {token.light for token in LOSS_TOKENS.values()}


def test_a_factor_that_there_is_not_is_named_with_those_there_are(world: World) -> None:
    three_seeds(world)
    with pytest.raises(UnknownName, match="group momentum") as caught:
        numbers(world, group=("loss", "momentum"))
    assert (caught.value.field, caught.value.remedy) == ("group", "It has: loss, seed.")
    assert numbers(world).choices["group"] == {"shown": "loss", "levels": ["loss", "seed"]}


def test_all_encoders_together_are_lines_of_their_own(world: World) -> None:
    for encoder in ("densenet_small", "resnet_small"):
        three_seeds(world, encoder=encoder)
    found = numbers(world, encoder="all")
    assert [line.cell.label for line in found.panels[0].lines] == ["L1 · DenseNet small", "L1 · ResNet small"]
    marks = [trace.marker.symbol for trace in traces(convergence.draw(found, "light"), "mean")]
    assert sorted(marks) == ["circle", "circle-open"]


def test_lines_of_one_loss_in_a_panel_differ_in_their_dash(world: World) -> None:
    for lr in (0.001, 0.01):
        world.errors(world.run("l1", config={"optimiser": {"lr": lr}}), STEPS, [lr] * 5)
    first, second = traces(convergence.draw(numbers(world), "light"), "mean")
    assert first.line.color == second.line.color
    assert first.line.dash != second.line.dash


def test_hidden_lines_are_left_out_and_named(world: World) -> None:
    for loss in ("l1", "l2", "gan"):
        three_seeds(world, loss)
    for chosen in ({"hidden": ("L2", "GAN")}, {"only": ("L1",)}):
        figure = convergence.draw(numbers(world, **chosen), "light")
        assert {trace.legendgroup for trace in traces(figure, "mean")} == {"L1"}
        assert "Not shown: L2, GAN." in figure.layout.meta["caption"]


def test_a_log_axis_of_x_begins_at_the_first_point(world: World) -> None:
    three_seeds(world)
    axis = convergence.draw(numbers(world, x="step", x_log=True), "light").layout.xaxis
    assert (axis.type, tuple(axis.range)) == ("log", (2, pytest.approx(np.log10(500))))


def test_hours_since_the_start_count_the_wait_between_two_attempts_and_hours_of_training_do_not(world: World) -> None:
    run = world.run(status="running", gpus=2)
    world.attempt(run, 1)
    world.attempt(run, 2, resumed_from=200)
    for number, step, after in ((1, 0, 0), (1, 100, 1), (2, 200, 5), (2, 300, 6)):
        world.errors(run, [step], [0.5], attempt=number, wall=1e9 + 3600 * after)
    lines = {x: numbers(world, x=x).panels[0].lines[0].x for x in ("hours", "wall", "gpu")}
    assert lines["hours"] == pytest.approx((0, 1, 1, 2))
    assert lines["wall"] == pytest.approx((0, 1, 5, 6))
    assert lines["gpu"] == pytest.approx((0, 2, 2, 4))


def test_gpu_hours_are_offered_where_a_run_trained_on_gpus(world: World) -> None:
    three_seeds(world)
    assert "gpu" not in numbers(world).choices["x"]["levels"]  # type: ignore[operator]
    assert numbers(world, x="gpu").panels[0].lines[0].x == ()
