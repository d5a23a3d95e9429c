"""What stands in a room: each piece is a few boxes and cylinders about a spot on the floor."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from depthboard.rooms import Draws, turn
from worker.data.rooms.scene import Box, Cylinder, Material, Pattern, Piece


@dataclass
class Parts:
    """Collects the parts of a piece in its own axes: x along its width, y up from the floor, z towards its back."""

    boxes: list[Box] = field(default_factory=list)
    cylinders: list[Cylinder] = field(default_factory=list)

    def box(self, x: float, y: float, z: float, width: float, height: float, depth: float, material: Material) -> None:
        """A box whose underside centre is at (x, y, z)."""
        self.boxes.append(Box((x, y + height / 2, z), (width / 2, height / 2, depth / 2), material))

    def cylinder(self, x: float, y: float, z: float, radius: float, height: float, material: Material) -> None:
        self.cylinders.append(Cylinder((x, y, z), radius, height, material))

    def legs(self, width: float, depth: float, height: float, thick: float, material: Material) -> None:
        for x in (-width / 2 + thick, width / 2 - thick):
            for z in (-depth / 2 + thick, depth / 2 - thick):
                self.box(x, 0, z, thick, height, thick, material)

    def at(self, x: float, z: float, facing: tuple[float, float]) -> Piece:
        return Piece(x, z, facing, tuple(self.boxes), tuple(self.cylinders))


def wood(draws: Draws) -> Material:
    red = draws.between(0.2, 0.62)
    tone = (red, red * draws.between(0.6, 0.75), red * draws.between(0.3, 0.5))
    return Material(Pattern.planks, tone, (tone[0] * 0.75, tone[1] * 0.72, tone[2] * 0.7), draws.between(0.08, 0.2))


def cloth(draws: Draws) -> Material:
    pattern = draws.one_of((Pattern.plain, Pattern.stripes, Pattern.mottled, Pattern.checks))
    return Material(pattern, draws.colour(0.25, 0.8, 0.75), draws.colour(0.2, 0.7, 0.75), draws.between(0.06, 0.25))


def paint(draws: Draws) -> Material:
    tone = draws.colour(0.12, 0.85, 0.35)
    return Material(Pattern.plain, tone, tone, 1.0)


def table(draws: Draws, parts: Parts) -> None:
    width, depth, height = draws.between(0.9, 1.8), draws.between(0.6, 0.95), draws.between(0.66, 0.78)
    top = wood(draws)
    parts.box(0, height, 0, width, 0.05, depth, top)
    parts.legs(width, depth, height, 0.06, top)
    if draws.chance(0.6):
        parts.box(draws.between(-0.3, 0.3), height + 0.05, 0, 0.5, draws.between(0.25, 0.4), 0.06, paint(draws))
    if draws.chance(0.5):
        parts.cylinder(draws.between(-0.4, 0.4), height + 0.05, 0.15, 0.07, draws.between(0.12, 0.3), cloth(draws))


def chair(draws: Draws, parts: Parts) -> None:
    frame, seat = wood(draws), cloth(draws)
    parts.box(0, 0.43, 0, 0.44, 0.06, 0.44, seat)
    parts.box(0, 0.49, 0.2, 0.44, draws.between(0.35, 0.5), 0.05, seat)
    parts.legs(0.44, 0.44, 0.43, 0.05, frame)


def cabinet(draws: Draws, parts: Parts) -> None:
    width, depth, height = draws.between(0.5, 1.3), draws.between(0.35, 0.6), draws.between(0.7, 2.1)
    body = draws.one_of((wood, paint))(draws)
    parts.box(0, 0, 0, width, height, depth, body)
    parts.box(0, 0.1, -depth / 2, width * 0.94, height - 0.2, 0.03, body if draws.chance(0.5) else paint(draws))


def shelf(draws: Draws, parts: Parts) -> None:
    width, depth, height, boards = draws.between(0.7, 1.3), 0.32, draws.between(1.3, 2.1), draws.below(2) + 3
    body = wood(draws)
    parts.box(0, 0, depth / 2, width, height, 0.03, body)
    for side in (-width / 2, width / 2):
        parts.box(side, 0, 0, 0.04, height, depth, body)
    for board in range(boards):
        floor = 0.05 + board * (height - 0.1) / boards
        parts.box(0, floor, 0, width, 0.03, depth, body)
        books = draws.between(0.3, 0.9) * width
        tone = Material(Pattern.stripes, draws.colour(0.3, 0.8, 0.7), draws.colour(0.15, 0.6, 0.7), 0.08)
        parts.box(
            -(width - books) / 2 * draws.between(-1, 1),
            floor + 0.03,
            0.03,
            books * 0.95,
            draws.between(0.2, 0.3),
            depth * 0.7,
            tone,
        )


def sofa(draws: Draws, parts: Parts) -> None:
    width, cover = draws.between(1.4, 2.1), cloth(draws)
    parts.box(0, 0.06, 0, width, 0.36, 0.8, cover)
    parts.box(0, 0.42, 0.3, width, draws.between(0.35, 0.5), 0.2, cover)
    for side in (-width / 2, width / 2):
        parts.box(side, 0, 0, 0.18, 0.6, 0.82, cover)
    parts.box(draws.between(-0.5, 0.5), 0.42, 0.08, 0.4, 0.3, 0.14, cloth(draws))


def bed(draws: Draws, parts: Parts) -> None:
    width = draws.between(0.9, 1.7)
    parts.box(0, 0, 0, width, 0.3, 2.0, wood(draws))
    parts.box(0, 0.3, 0, width * 0.97, 0.22, 1.95, cloth(draws))
    parts.box(0, 0.52, 0.75, width * 0.8, 0.12, 0.4, paint(draws))
    parts.box(0, 0, 1.02, width, draws.between(0.8, 1.1), 0.06, wood(draws))


def floor_lamp(draws: Draws, parts: Parts) -> None:
    height, metal = draws.between(1.3, 1.7), paint(draws)
    parts.cylinder(0, 0, 0, 0.16, 0.03, metal)
    parts.cylinder(0, 0, 0, 0.025, height, metal)
    shade = (0.95, 0.88, 0.7)
    parts.cylinder(0, height - 0.1, 0, draws.between(0.16, 0.24), 0.3, Material(Pattern.glowing, shade, shade, 1.0))


def bin_or_column(draws: Draws, parts: Parts) -> None:
    if draws.chance(0.25):
        parts.cylinder(0, 0, 0, draws.between(0.12, 0.25), 2.2, paint(draws))
    else:
        parts.cylinder(0, 0, 0, draws.between(0.15, 0.3), draws.between(0.3, 0.7), cloth(draws))


def crates(draws: Draws, parts: Parts) -> None:
    height = 0.0
    for _ in range(draws.below(3) + 1):
        side, tall = draws.between(0.3, 0.6), draws.between(0.25, 0.5)
        parts.box(
            draws.between(-0.05, 0.05),
            height,
            draws.between(-0.05, 0.05),
            side,
            tall,
            side,
            draws.one_of((wood, paint, cloth))(draws),
        )
        height += tall


Maker = Callable[[Draws, Parts], None]

AGAINST_WALLS: tuple[tuple[Maker, float, float], ...] = (
    (cabinet, 1.3, 0.6), (shelf, 1.3, 0.34), (sofa, 2.2, 0.85), (bed, 1.8, 2.1), (table, 1.8, 0.95), (floor_lamp, 0.5, 0.5),
)  # fmt: skip
"""Maker with the width and depth to keep free, in metres."""

IN_THE_ROOM: tuple[Maker, ...] = (table, chair, chair, crates, bin_or_column, floor_lamp, sofa)


def stand_against_wall(draws: Draws, size: tuple[float, float, float], wall: int) -> Piece:
    """One piece with its back to the wall: 0 is x = 0, 1 is x = width, 2 is z = length. The wall z = 0 is behind the camera."""
    maker, wide, deep = draws.one_of(AGAINST_WALLS)
    gap, place = deep / 2 + 0.04, draws.unit()
    if wall == 2:
        spot, facing = (wide / 2 + place * (size[0] - wide), size[2] - gap), (1.0, 0.0)
    else:
        along = wide / 2 + place * (size[2] - wide)
        spot, facing = ((gap, along), (0.0, -1.0)) if wall == 0 else ((size[0] - gap, along), (0.0, 1.0))
    parts = Parts()
    maker(draws, parts)
    return parts.at(spot[0], spot[1], facing)


def stand_free(draws: Draws, size: tuple[float, float, float]) -> Piece:
    """One piece somewhere on the floor, turned at will."""
    parts = Parts()
    draws.one_of(IN_THE_ROOM)(draws, parts)
    return parts.at(draws.between(0.7, size[0] - 0.7), draws.between(1.0, size[2] - 0.7), turn(draws.between(-1, 1)))


def hang(draws: Draws, size: tuple[float, float, float], wall: int) -> Piece:
    """A door, a window in its frame or a picture on a wall (numbered as above)."""
    kind = draws.below(3)
    width, height, above = (
        (0.9, 2.02, 0.0),
        (draws.between(0.9, 1.6), 1.2, 0.9),
        (draws.between(0.4, 0.9), draws.between(0.4, 0.7), 1.3),
    )[kind]
    along = width / 2 + 0.2 + draws.unit() * (size[0 if wall == 2 else 2] - width - 0.4)
    spot, facing = {
        0: ((0.0, along), (0.0, -1.0)),
        1: ((size[0], along), (0.0, 1.0)),
        2: ((along, size[2]), (1.0, 0.0)),
    }[wall]
    parts = Parts()
    frame = paint(draws) if kind else wood(draws)
    parts.box(0, above, 0, width, height, 0.08, frame)
    sky = (draws.between(0.7, 0.95), draws.between(0.8, 0.95), 0.95)
    inside = (frame, Material(Pattern.glowing, sky, sky, 1.0), cloth(draws))[kind]
    parts.box(0, above + 0.06, -0.03, width - 0.12, height - 0.12, 0.06, inside)
    return parts.at(spot[0], spot[1], facing)
