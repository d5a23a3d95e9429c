from __future__ import annotations

import numpy as np
import pytest

from backend.figures import FIGURES, qualitative, selected, tiles
from backend.figures.colouring import EDGE_COLOUR, colour_error, edges, median_scaled
from backend.figures.look import AS_IT_IS, Look, parse_look
from backend.figures.selector import Selection
from depthboard.errors import InvalidInput, UnknownName
from tests.backend.figures.test_qualitative import images, pixels
from tests.backend.figures.world import World, sums_of

TRUTH = np.full((4, 5), 2000, np.uint16)
TRUTH[:, 3:] = 4000
TRUTH[0, 0] = 0


@pytest.fixture
def world_of_two(world: World) -> World:
    """l1 is 0.1 m and 0.4 m off in two images, gan 0.2 m and 0.3 m."""
    first, second = world.frame(TRUTH, "a", 0), world.frame(TRUTH[::-1].copy(), "b", 1)
    for loss, errors in (("l1", (0.1, 0.4)), ("gan", (0.2, 0.3))):
        run = world.run(loss)
        world.evaluate(run, 500, sums_of(np.ones((2, 3)), 1 + np.array(errors)[:, None] * np.ones((2, 3))))
        for frame in (first, second):
            world.predict(run, 500, frame, np.where(TRUTH > 0, TRUTH + 500, 1500).astype(np.uint16))
    return world


def grid(world: World, **chosen: str) -> qualitative.QualitativeGrid:
    return qualitative.gather(world.session, selected(FIGURES["qualitative"], world.id, chosen))


def test_without_parameters_the_look_is_the_default() -> None:
    assert parse_look({}) == AS_IT_IS == Look()


def test_the_address_of_the_browser_is_understood() -> None:
    query = {
        "view": "error",
        "low": "1.5",
        "high": "4",
        "limit": "0.5",
        "scaled": "yes",
        "sort": "delta1:best",
        "a": "3",
        "b": "truth",
    }
    assert parse_look(query) == Look(
        view="error", low=1.5, high=4.0, limit=0.5, scaled=True, metric="delta1", order="best", a=3
    )
    assert parse_look({"percentile": "0-100", "sort": "rmse"}) == Look(span=(0, 100), order="worst")


@pytest.mark.parametrize(
    ("query", "error", "field"),
    [
        ({"low": "5", "high": "4"}, InvalidInput, "low"),
        ({"low": "near"}, InvalidInput, "low"),
        ({"high": "nan"}, InvalidInput, "high"),
        ({"limit": "0"}, InvalidInput, "limit"),
        ({"a": "l1"}, InvalidInput, "a"),
        ({"sort": "beauty"}, UnknownName, "sort"),
        ({"sort": "rmse:sideways"}, UnknownName, "sort"),
    ],
    ids=str,
)
def test_what_makes_no_sense_is_refused(query: dict[str, str], error: type[Exception], field: str) -> None:
    with pytest.raises(error) as caught:
        parse_look(query)
    assert caught.value.field == field  # type: ignore[attr-defined]


def test_rows_go_by_a_metric_or_by_the_difference_of_two_runs(world_of_two: World) -> None:
    names = lambda found: [frame.name for frame in found.rows]
    assert names(grid(world_of_two)) == ["a", "b"]
    assert names(grid(world_of_two, sort="rmse:worst")) == ["b", "a"]
    found = grid(world_of_two, sort="rmse:difference")
    assert names(found) == ["b", "a"]
    assert [found.score(frame) for frame in found.rows] == pytest.approx([0.1, -0.1])
    a, b = (column.run_id for column in found.columns)
    swapped = grid(world_of_two, sort="rmse:difference", a=str(b), b=str(a))
    assert names(swapped) == ["a", "b"]
    figure = tiles.draw(swapped, "light")
    assert "a<br>GAN − L1<br>+0.100 m" in [note.text for note in figure.layout.annotations]
    assert "Rows by the difference in RMSE, GAN − L1." in swapped.caption


def test_the_exported_tiles_are_what_the_look_says(world_of_two: World) -> None:
    found = grid(world_of_two, view="error", edges="yes", limit="0.7")
    frame, column = found.frames[0], found.columns[0]
    predicted = column.tiles[frame.id].prediction.depth
    drawn = pixels(images(tiles.draw(found, "light"))["prediction", frame.id, column.run_id].source)
    wanted, marked = colour_error(predicted, frame.truth, 0.7), edges(frame.truth)
    assert marked[1:, 2].all()
    assert (drawn[~marked] == wanted[~marked]).all()
    assert (drawn[marked] == (*EDGE_COLOUR, 255)).all()
    assert "±0.7 m; blue too near, orange too far." in found.caption


def test_scaled_and_masked_predictions_are_said_to_be(world_of_two: World) -> None:
    found = grid(world_of_two, scaled="yes", mask="yes", low="1", high="5")
    frame = found.frames[0]
    tile = found.columns[0].tiles[frame.id]
    assert found.depth_range == (1.0, 5.0)
    image = found.image(frame, tile)
    assert image[0, 0].tolist() == [0, 0, 0, 0]
    assert (image[1:] == found.truth_image(frame)[1:]).all() == (
        median_scaled(tile.prediction.depth, frame.truth)[1:] == frame.truth[1:]
    ).all()
    for words in ("1.00–5.00 m: set by hand", "median of the prediction, image by image.", "hatched where there is no"):
        assert words in found.caption


def test_all_data_at_once_is_refused_where_one_is_shown(world: World) -> None:
    for name in ("qualitative", "encoders"):
        with pytest.raises(UnknownName, match="one data set at a time"):
            selected(FIGURES[name], world.id, {"dataset": "all"})
    assert selected(FIGURES["results"], world.id, {"dataset": "all"}).dataset == "all"
    with pytest.raises(UnknownName, match="one data set at a time"):
        qualitative.gather(world.session, Selection(world.id, dataset="all"))
