from __future__ import annotations

from typing import Any

import plotly.graph_objects as go
import pytest

from backend.figures import encoders
from backend.figures.selector import Selection
from depthboard.errors import UnknownName
from tests.backend.figures.world import World

STEPS = [300, 400, 500]


def numbers(world: World, **chosen: Any) -> encoders.Encoders:
    return encoders.gather(world.session, Selection(world.id, **chosen))


def traces(figure: go.Figure, role: str) -> list[Any]:
    return [trace for trace in figure.data if (trace.meta or {}).get("role") == role]


def study(world: World) -> None:
    for loss, dense, res in (("l1", 0.5, 0.6), ("l2", 0.4, 0.7)):
        for seed, shift in ((0, -0.1), (1, 0.1)):
            world.errors(world.run(loss, 64, seed), STEPS, [dense + shift] * 3)
            world.errors(world.run(loss, 64, seed, encoder="resnet_small"), STEPS, [res + shift] * 3)
        world.errors(world.run(loss, 512), STEPS, [0.1] * 3)


def test_a_dot_is_the_mean_over_seeds_of_one_loss_with_one_encoder(world: World) -> None:
    study(world)
    dots = {(d.cell.loss, d.cell.encoder): d.summary for d in numbers(world).panels[0].dots}
    assert {key: summary.mean for key, summary in dots.items()} == pytest.approx(
        {
            ("l1", "densenet_small"): 0.5,
            ("l1", "resnet_small"): 0.6,
            ("l2", "densenet_small"): 0.4,
            ("l2", "resnet_small"): 0.7,
        }
    )
    assert {summary.n for summary in dots.values()} == {2}


def test_the_size_is_the_one_with_most_encoders_unless_another_is_asked_for(world: World) -> None:
    study(world)
    assert numbers(world).train_size == 64
    assert numbers(world, train_size=512).encoders == ("densenet_small",)
    with pytest.raises(UnknownName, match="train_size 100"):
        numbers(world, train_size=100)


def test_the_figure_tells_the_page_which_size_it_shows_and_which_its_data_has(world: World) -> None:
    study(world)
    world.errors(world.run("l1", 128, dataset="kitchen"), STEPS, [0.1] * 3)
    drawn = encoders.draw(numbers(world), "light")
    assert drawn.layout.meta["choices"] == {"train_size": {"shown": "64", "levels": ["64", "512"]}}
    assert numbers(world, dataset="kitchen").sizes == (128,)


def test_losses_stand_from_best_to_worst_by_the_first_encoders_rmse_in_every_panel(world: World) -> None:
    study(world)
    found = numbers(world)
    assert found.labels == ("L2", "L1")
    figure = encoders.draw(found, "light")
    assert [figure.layout[axis].ticktext for axis in ("yaxis", "yaxis2", "yaxis3")] == [("L2", "L1")] * 3


def test_densenets_are_filled_and_resnets_hollow_in_the_losss_colour(world: World) -> None:
    study(world)
    dots = traces(encoders.draw(numbers(world), "light"), "dot")
    symbols = {(t.meta["encoder"], t.marker.symbol) for t in dots}
    assert symbols == {("densenet_small", "circle"), ("resnet_small", "circle-open")}
    assert {t.marker.color for t in dots if t.meta["loss"] == "l1"} == {"#2f43b0"}


def test_panels_are_rmse_rel_and_delta1(world: World) -> None:
    study(world)
    assert [panel.metric for panel in numbers(world).panels] == ["rmse", "abs_rel", "delta1"]


def test_the_constant_prediction_hangs_on_the_edge_it_lies_beyond(world: World) -> None:
    study(world)
    for run in numbers(world).panels[0].dots:
        assert run.run_ids
    world.constant(world.run("gan", 64), 3.0)
    figure = encoders.draw(numbers(world), "light")
    texts = [a.text for a in figure.layout.annotations if a.name == "constant"]
    assert texts[:2] == ["→ constant 3.000 m", "→ constant 3.000"]


def test_published_values_are_quoted_beside_nyuv2_runs_alone(world: World) -> None:
    study(world)
    assert numbers(world, published=True).panels[0].quotes == {}
    other = World()
    other.errors(other.run("l1", 64, dataset="nyuv2"), STEPS, [0.6] * 3)
    found = numbers(other, published=True)
    assert found.panels[1].quotes["resnet50"]["l1"] == 0.159
    drawn = traces(encoders.draw(found, "light"), "published")
    assert next(trace.x for trace in drawn if trace.meta["encoder"] == "densenet121") == (0.639,)
    other.close()


def test_the_caption_names_data_size_and_selector(world: World) -> None:
    study(world)
    caption = numbers(world).caption
    assert "rooms, 64 training images." in caption
    assert "mean of the last three evaluations, averaged per image" in caption
    assert "8 runs: 8 drawn." in caption
