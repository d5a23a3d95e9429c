from __future__ import annotations

import math
from typing import Any

import numpy as np
import plotly.graph_objects as go
import pytest

from backend.figures import convergence
from backend.figures import run as of_run
from backend.figures.run import Choice, RunFigure
from backend.figures.run_drawing import draw
from backend.figures.selector import Selection
from backend.store.tables import Attempt, ExperimentRun
from depthboard.errors import NotFound, UnknownName
from tests.backend.figures.world import NOW, World

STEPS = [100, 200, 300]
OWN, SECOND, THIRD = [0.9, 0.5, 0.4], [0.7, 0.6, 0.3], [0.8, 0.2, 0.35]


def gather(world: World, run: Any, **chosen: Any) -> RunFigure:
    return of_run.gather(world.session, Choice(run.id, chosen.pop("experiment_id", world.id), **chosen))


def three_seeds(world: World, **given: Any) -> Any:
    own = world.run("l1", seed=0, **given)
    world.errors(own, STEPS, OWN)
    for seed, errors in ((1, SECOND), (2, THIRD)):
        world.errors(world.run("l1", seed=seed, **given), STEPS, errors)
    return own


def trace(figure: go.Figure, role: str) -> Any:
    return next(trace for trace in figure.data if trace.meta["role"] == role)


def roles(figure: go.Figure) -> list[str]:
    return [(trace.meta or {}).get("role", "") for trace in figure.data]


def test_the_band_is_of_the_other_seeds_of_the_cell_and_not_of_the_run_itself(world: World) -> None:
    own = three_seeds(world)
    world.errors(world.run("l1", size=16, seed=3), STEPS, [9, 9, 9])
    world.errors(world.run("l1", seed=4, config={"optimiser": {"lr": 0.5}}), STEPS, [9, 9, 9])
    world.errors(world.run("huber", seed=5), STEPS, [9, 9, 9])
    found = gather(world, own)
    np.testing.assert_allclose(found.own.value, OWN, rtol=1e-12)
    np.testing.assert_allclose(found.others.low, [0.7, 0.2, 0.3], rtol=1e-12)
    np.testing.assert_allclose(found.others.high, [0.8, 0.6, 0.35], rtol=1e-12)
    assert (found.others.n, found.others.seeds) == ((2, 2, 2), (1, 2))


def test_the_interval_of_two_seeds_is_students_t_with_one_degree_of_freedom(world: World) -> None:
    # t(1; 0.975) = tan(0.475 π) = 12.7062…; of 0.7 and 0.8 the mean is 0.75 and the standard error 0.05
    own = three_seeds(world)
    found = gather(world, own, band="ci95")
    half = math.tan(0.475 * math.pi) * 0.05
    np.testing.assert_allclose((found.others.low[0], found.others.high[0]), (0.75 - half, 0.75 + half), rtol=1e-9)
    two = world.run("huber", seed=0)
    world.errors(world.run("huber", seed=1), STEPS, SECOND)
    assert gather(world, two, band="ci95").others.x == (), "of one seed there is none"
    assert gather(world, own, band="none").others.x == ()


def test_runs_of_other_experiments_are_not_in_the_band(world: World) -> None:
    own = three_seeds(world)
    assert gather(world, own, experiment_id=None).others.seeds == ()
    world.session.query(ExperimentRun).filter(ExperimentRun.run_id != own.id).delete()
    assert gather(world, own).others.seeds == ()


def test_a_seed_is_in_the_band_until_it_diverges(world: World) -> None:
    own = world.run("l1", seed=0)
    world.errors(own, STEPS, OWN)
    world.errors(world.run("l1", seed=1, diverged_at=250, status="failed"), STEPS, SECOND)
    assert gather(world, own).others.n == (1, 1)


def test_x_is_epochs_images_steps_or_hours_of_training(world: World) -> None:
    own = world.run("l1", seed=0)
    for step, hours in zip([0, *STEPS], [0, 1, 2, 4], strict=True):
        world.errors(own, [step], [0.5], wall=1e9 + 3600 * hours)
    # batch 8, 64 training images, 500 steps
    assert gather(world, own).own.x == (0, 12.5, 25, 37.5)
    assert gather(world, own, x="images").own.x == (0, 800, 1600, 2400)
    assert gather(world, own, x="step").own.x == (0, 100, 200, 300)
    assert gather(world, own, x="hours").own.x == (0, 1, 2, 4)
    assert [gather(world, own, x=x).x_end for x in ("epoch", "images", "step", "hours")] == [62.5, 4000, 500, 4]


def test_a_resumed_attempt_is_marked_where_it_went_on(world: World) -> None:
    own = three_seeds(world)
    for number, resumed in ((1, None), (2, 161)):
        row = {"owner": "w", "host": "here", "device": "cpu", "log_length": 0, "started_at": NOW}
        world.session.add(Attempt(run_id=own.id, attempt=number, resumed_from=resumed, **row))  # type: ignore[arg-type]
    world.session.flush()
    (mark,) = gather(world, own).resumed
    assert (mark.x, mark.words) == (20, "attempt 2, resumed from epoch 20")
    figure = draw(gather(world, own), "light")
    assert [shape.x0 for shape in figure.layout.shapes if shape.name == "attempt"] == [20]


def test_a_divergence_is_marked_at_its_step_with_the_last_finite_value(world: World) -> None:
    own = world.run("l1", seed=0, diverged_at=240, status="failed")
    world.errors(own, [100, 200], [0.9, 0.5])
    found = gather(world, own)
    assert found.diverged is not None
    assert (found.diverged.x, found.diverged.step) == (25, 240)
    assert found.diverged.value == pytest.approx(0.5)
    figure = draw(found, "dark")
    assert (trace(figure, "diverged").x, trace(figure, "diverged").y) == ((25,), (pytest.approx(0.5),))
    assert any("last finite value 0.500 m" in note.text for note in figure.layout.annotations)


def test_the_cross_lies_where_the_convergence_figure_has_it(world: World) -> None:
    own = world.run("l1", seed=0, diverged_at=240, status="failed")
    for step, hours in zip([100, 200], [1, 3], strict=True):
        world.errors(own, [step], [0.5], wall=1e9 + 3600 * hours)
    for x in ("epoch", "images", "step", "hours"):
        selection = Selection(world.id, x=x)  # type: ignore[arg-type]
        (line,) = convergence.gather(world.session, selection).panels[0].lines
        assert gather(world, own, x=x).diverged == line.diverged[0]


def test_the_band_never_runs_backwards_in_hours_and_the_hover_names_it(world: World) -> None:
    own, fast, slow = (world.run("l1", seed=seed) for seed in range(3))
    for run, pace, steps in ((own, 2, STEPS), (fast, 1, STEPS), (slow, 10, STEPS[:2])):
        for step in [0, *steps]:
            world.errors(run, [step], [0.5 + run.seed / 10], wall=1e9 + 36 * pace * step)
    found = gather(world, own, x="hours")
    # at step 200 the mean of 2 and 20 hours; at step 300 the fast one's 3 alone, held back
    assert found.others.x == (0, 5.5, 11, 11)
    assert found.others.n == (2, 2, 2, 1)
    hover = [words for _, words in trace(draw(found, "light"), "run").customdata]
    assert hover[1] == "<br>other seeds 0.600–0.700, n = 2"
    assert hover[3] == "<br>other seeds 0.600–0.600, n = 1"


def test_one_that_diverged_before_any_evaluation_says_so(world: World) -> None:
    figure = draw(gather(world, world.run("l1", diverged_at=8, status="failed")), "light")
    assert any("before the first evaluation" in note.text for note in figure.layout.annotations)
    assert "diverged" not in roles(figure)


def test_the_last_value_is_written_beside_its_mark(world: World) -> None:
    figure = draw(gather(world, three_seeds(world)), "light")
    assert trace(figure, "last").text == ("0.400 m",)
    assert (trace(figure, "last").x, trace(figure, "last").y) == ((37.5,), (pytest.approx(0.4),))
    assert trace(figure, "run").customdata[1][1] == "<br>other seeds 0.200–0.600, n = 2"


def test_the_published_curve_is_drawn_for_the_papers_loss_and_size_on_nyuv2_alone(world: World) -> None:
    paper = world.run("l1", size=795, dataset="nyuv2", format="nyuv2_mat")
    found = gather(world, paper)
    assert found.quote is not None
    assert "published" in roles(draw(found, "light"))
    assert gather(world, paper, published=False).quote is None
    assert gather(world, paper, metric="rmse").quote is None
    assert gather(world, paper, x="hours").quote is None
    assert gather(world, world.run("l1", size=400, dataset="nyuv2", format="nyuv2_mat")).quote is None
    assert gather(world, world.run("l1", size=795, seed=1)).quote is None


def test_shares_are_drawn_in_per_cent_and_the_axis_is_not_stretched_to_the_constant(world: World) -> None:
    own = three_seeds(world)
    world.constant(own, 8.0)
    figure = draw(gather(world, own), "light")
    assert figure.layout.yaxis.range[1] < 2
    assert any("↑ constant 8.000 m" in note.text for note in figure.layout.annotations)
    assert max(trace(draw(gather(world, own, metric="delta1"), "light"), "run").y) <= 100


def test_without_evaluations_there_is_a_sentence(world: World) -> None:
    figure = draw(gather(world, world.run("l1", status="queued")), "light")
    assert [note.text for note in figure.layout.annotations] == ["The first evaluation has not come yet."]


def test_an_unknown_metric_and_a_script_are_refused_with_a_remedy(world: World) -> None:
    own = three_seeds(world)
    with pytest.raises(UnknownName, match="there is no metric rmsee"):
        gather(world, own, metric="rmsee")
    own.dataset = None
    with pytest.raises(NotFound, match="is a script's"):
        gather(world, own)
