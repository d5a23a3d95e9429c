from __future__ import annotations

import base64
import io
import math
import re
from typing import Any

import numpy as np
import plotly.graph_objects as go
import pytest
from PIL import Image

from backend.figures import grid_answer, qualitative, tiles
from backend.figures.colouring import colormap, colour_depth, depth_range
from backend.figures.grid import QualitativeGrid
from backend.figures.selector import Selection
from backend.figures.tokens import LOSS_TOKENS, NEUTRAL
from backend.schemas import Qualitative
from depthboard.errors import UnknownName
from tests.backend.figures.world import World, sums_of

GLYPH = re.compile(">(.)</span>")

TRUTH = np.array([[1000, 2000, 3000], [0, 4000, 5000]], np.uint16)
OTHER = np.array([[1500, 1500, 1500], [2500, 0, 9000]], np.uint16)


def numbers(world: World, **chosen: Any) -> QualitativeGrid:
    return qualitative.gather(world.session, Selection(world.id, **chosen))


def pixels(source: str) -> np.ndarray[Any, Any]:
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(source.removeprefix("data:image/png;base64,")))))


def images(figure: go.Figure) -> dict[tuple[Any, ...], Any]:
    found = [trace for trace in figure.data if trace.type == "image"]
    return {(t.meta["role"], t.meta["frame_id"], t.meta.get("run_id")): t for t in found}


@pytest.fixture
def grid(world: World) -> World:
    """l1 and gan at 64 images, seeds 0 and 1, depth maps at steps 250 and 500 of frames at positions 0 and 2."""
    first, second = world.frame(TRUTH, "office/a", 0), world.frame(TRUTH[::-1].copy(), "office/b", 2)
    for loss in ("l1", "gan"):
        for seed in (0, 1):
            run = world.run(loss, 64, seed)
            for step, error in ((250, 0.5), (400, 0.4), (500, 0.3)):
                predicted = np.full((3, 2), 1.0) + error * np.array([[1.0], [2.0], [3.0]])
                world.evaluate(run, step, sums_of(np.ones((3, 2)), predicted))
                if step != 400:
                    world.predict(run, step, first, OTHER + step)
                    world.predict(run, step, second, OTHER)
    return world


def test_rows_are_frames_by_position_and_columns_losses_in_their_order(grid: World) -> None:
    found = numbers(grid)
    assert [frame.name for frame in found.frames] == ["office/a", "office/b"]
    assert [column.label for column in found.columns] == ["L1", "GAN"]
    assert found.steps == (250, 500)


def test_images_are_those_of_the_latest_step_or_the_latest_up_to_the_one_asked_for(grid: World) -> None:
    assert {column.step for column in numbers(grid).columns} == {500}
    early = numbers(grid, step=250)
    assert {tile.prediction.step for column in early.columns for tile in column.tiles.values()} == {250}
    between = numbers(grid, step=300)
    assert {column.step for column in between.columns} == {250}
    assert {column.step for column in numbers(grid, step=9999).columns} == {500}
    with pytest.raises(UnknownName, match="step 200"):
        numbers(grid, step=200)


def test_best_on_validation_chooses_the_images_too(world: World) -> None:
    run, frame = world.run(config={"data": {"validation": 0.1}}), world.frame(TRUTH)
    for step, score in ((250, 0.1), (500, 0.2)):
        world.errors(run, [step], [0.5])
        world.errors(run, [step], [score], split="validation")
        world.predict(run, step, frame, OTHER)
    assert numbers(world, value="best_validation").columns[0].step == 250


def test_a_column_carries_the_value_of_its_run_by_the_selector(grid: World) -> None:
    # per image the error is e, 2e, 3e: mean 2e; last three e: 0.5, 0.4, 0.3
    assert numbers(grid).columns[0].rmse == pytest.approx(0.8)
    assert numbers(grid, value="last").columns[0].rmse == pytest.approx(0.6)


def test_a_tile_carries_the_metrics_of_its_own_image(grid: World) -> None:
    found = numbers(grid)
    tile = found.columns[0].tiles[found.frames[1].id]
    # the second frame stands at position 2 of the part: its error at step 500 is 0.9
    assert tile.metrics["mae"] == pytest.approx(0.9)
    assert tile.epoch == 500 * 8 / 64


def test_metrics_of_an_image_that_was_not_scored_are_nan(world: World) -> None:
    run = world.run()
    world.predict(run, 500, world.frame(TRUTH), OTHER)
    (tile,) = numbers(world).columns[0].tiles.values()
    assert math.isnan(tile.metrics["mae"])


def test_every_loss_has_a_glyph_of_its_own_beside_its_name(world: World) -> None:
    assert {token.marker for token in (*LOSS_TOKENS.values(), NEUTRAL)} <= set(tiles.GLYPHS)
    assert len(set(tiles.GLYPHS.values())) == len(tiles.GLYPHS)
    frame = world.frame(np.full((2, 3), 1000, np.uint16))
    for loss in ("silog_sqrt", "gradient_matching", "huber_textbook", "eigen_as_released"):
        world.predict(world.run(loss), 500, frame, np.full((2, 3), 900, np.uint16))
    figure = tiles.draw(qualitative.gather(world.session, Selection(world.id)), "light")
    titles = [note.text for note in figure.layout.annotations if note.name == "title"][2:]
    assert [GLYPH.search(title)[1] for title in titles] == ["⧫", "◀", "▶", "⧓"]  # type: ignore[index]


def test_seed_size_and_encoder_can_be_asked_for(grid: World) -> None:
    run = grid.run("l1", 512)
    assert "64 training images" in numbers(grid).caption
    assert "seed 1." in numbers(grid, seed=1).caption
    assert numbers(grid, train_size=512).columns[0].run_id == run.id
    with pytest.raises(UnknownName, match="seed 9"):
        numbers(grid, seed=9)


def test_the_image_traces_hold_the_bytes_that_the_browser_draws(grid: World) -> None:
    found = numbers(grid)
    traces = images(tiles.draw(found, "light"))
    low, high = depth_range(found.truths)
    frame, column = found.frames[0], found.columns[0]
    truth = pixels(traces["truth", frame.id, None].source)
    assert (truth == colour_depth(TRUTH, low, high)).all()
    predicted = pixels(traces["prediction", frame.id, column.run_id].source)
    assert (predicted == colour_depth(column.tiles[frame.id].prediction.depth, low, high)).all()
    assert pixels(traces["rgb", frame.id, None].source).shape == (2, 3, 3)


def test_one_range_serves_every_tile_and_the_colour_bar(grid: World) -> None:
    found = numbers(grid)
    valid = np.concatenate([TRUTH[TRUTH > 0], TRUTH[TRUTH > 0]]) / 1000
    assert found.depth_range == pytest.approx(tuple(np.percentile(valid, (2, 98))))
    axis = tiles.draw(found, "light").layout.coloraxis
    assert (axis.cmin, axis.cmax) == found.depth_range
    assert axis.colorscale[0][1] == "rgb({},{},{})".format(*colormap("depth")[0])
    assert axis.colorbar.ticktext[-1].endswith(" m")


def test_places_without_depth_are_hatched_and_never_coloured(grid: World) -> None:
    found = numbers(grid)
    figure = tiles.draw(found, "light")
    truth = pixels(images(figure)["truth", found.frames[0].id, None].source)
    assert truth[1, 0].tolist() == [0, 0, 0, 0]
    assert len([image for image in figure.layout.images if image.name == "hatch"]) == 4


def test_a_run_without_depth_maps_yet_has_an_empty_tile_that_says_so(grid: World) -> None:
    grid.run("l2", 64, 0, status="queued")
    found = numbers(grid)
    assert [column.step for column in found.columns] == [500, None, 500]
    figure = tiles.draw(found, "light")
    assert [a.text for a in figure.layout.annotations if a.name == "notice"] == ["not there yet"] * 2
    assert "3 runs: 2 drawn, 1 not there yet." in found.caption


def test_the_caption_names_split_size_encoder_seed_step_range_and_selector(grid: World) -> None:
    caption = numbers(grid).caption
    for words in (
        "2 images of the test split of rooms; 64 training images, DenseNet small, seed 0.",
        "Images from step 500, the last of the three evaluations.",
        "One depth range for all tiles, 1.00–5.00 m",
        "mean of the last three evaluations, averaged per image",
    ):
        assert words in caption


def test_nothing_kept_yet_draws_a_sentence(world: World) -> None:
    world.run(status="queued")
    found = numbers(world)
    assert found.depth_range == (0.0, 10.0)
    assert found.caption.startswith("No depth maps yet.")
    figure = tiles.draw(found, "dark")
    assert [a.text for a in figure.layout.annotations] == ["No depth maps yet."]


def test_the_answer_is_the_schema_of_the_route(grid: World) -> None:
    found = numbers(grid)
    answer = grid_answer.answer(found, [])
    assert isinstance(answer, Qualitative)
    assert len(answer.predictions) == 4
    assert answer.predictions[0].url == f"/api/predictions/{answer.predictions[0].id}"
    assert answer.frames[0].rgb_url == f"/api/frames/{found.frames[0].id}/rgb"
    assert answer.steps == [250, 500]
    assert answer.predictions[0].metrics["rmse"] == pytest.approx(0.3)
