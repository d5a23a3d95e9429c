"""From a seed to a scene."""

from __future__ import annotations

from depthboard.rooms import NEAREST, Camera, Draws, Size, shell
from worker.data.rooms.furniture import hang, stand_against_wall, stand_free, wood
from worker.data.rooms.scene import Lamp, Material, Pattern, Piece, Scene


def build(draws: Draws) -> Scene:
    """A furnished, lit room in which every visible depth lies between NEAREST and FARTHEST metres."""
    size, camera = shell(draws)
    return Scene(
        size=size,
        surfaces=surfaces(draws),
        pieces=tuple(furnish(draws, size, camera)),
        lamps=light(draws, size),
        camera=camera,
        exposure=draws.between(1.1, 1.4),
        ambient=draws.between(0.14, 0.22),
    )


def surfaces(draws: Draws) -> tuple[Material, ...]:
    """Materials of x = 0, x = width, floor, ceiling, z = 0, z = length: walls alike but for the end one now and then."""
    walls = wall(draws)
    end = wall(draws) if draws.chance(0.3) else walls
    white = draws.between(0.8, 0.95)
    ceiling = Material(
        draws.one_of((Pattern.plain, Pattern.tiles)), (white, white, white * 0.97), (white * 0.8,) * 3, 0.6
    )
    return (walls, walls, floor(draws), ceiling, walls, end)


def wall(draws: Draws) -> Material:
    pattern = draws.one_of((Pattern.plain, Pattern.mottled, Pattern.stripes, Pattern.bricks, Pattern.plain))
    tone = draws.colour(0.55, 0.9, 0.3)
    shade = draws.between(0.75, 0.92)
    return Material(pattern, tone, (tone[0] * shade, tone[1] * shade, tone[2] * shade), draws.between(0.2, 0.4))


def floor(draws: Draws) -> Material:
    kind = draws.below(4)
    if kind == 0:
        return wood(draws)
    if kind == 1:
        return Material(
            Pattern.checks, draws.colour(0.5, 0.8, 0.25), draws.colour(0.15, 0.4, 0.25), draws.between(0.3, 0.5)
        )
    if kind == 2:
        return Material(
            Pattern.tiles, draws.colour(0.35, 0.75, 0.3), draws.colour(0.15, 0.3, 0.2), draws.between(0.3, 0.5)
        )
    return Material(
        Pattern.mottled, draws.colour(0.25, 0.55, 0.6), draws.colour(0.2, 0.45, 0.6), draws.between(0.1, 0.3)
    )


def furnish(draws: Draws, size: Size, camera: Camera) -> list[Piece]:
    """More pieces in a larger room; one that would stand in another, or in the camera's way, is left out."""
    area = size[0] * size[2]
    hung = [hang(draws, size, draws.below(3)) for _ in range(1 + draws.below(3))]
    wanted = [stand_against_wall(draws, size, draws.below(3)) for _ in range(3 + draws.below(2) + int(area / 15))]
    wanted += [stand_free(draws, size) for _ in range(1 + draws.below(2) + int(area / 16))]
    kept: list[Piece] = []
    for piece in wanted:
        if in_front(piece, camera) and not any(overlap(piece, other) for other in kept):
            kept.append(piece)
    return kept + [piece for piece in hung if in_front(piece, camera)]


def in_front(piece: Piece, camera: Camera) -> bool:
    """Whether every part of a piece lies at least NEAREST metres deep."""
    cos, sin = piece.facing
    ahead_x, ahead_y, ahead_z = (float(a) for a in camera.axes[2])
    along = (abs(ahead_x * cos - ahead_z * sin), abs(ahead_y), abs(ahead_x * sin + ahead_z * cos))
    for centre, half in piece.extents():
        x, z = piece.x + cos * centre[0] + sin * centre[2], piece.z - sin * centre[0] + cos * centre[2]
        depth = (
            ahead_x * (x - camera.position[0])
            + ahead_y * (centre[1] - camera.position[1])
            + ahead_z * (z - camera.position[2])
        )
        if depth - sum(along[k] * half[k] for k in range(3)) < NEAREST:
            return False
    return True


def overlap(a: Piece, b: Piece) -> bool:
    """Whether two pieces come closer than their outlines allow: balls shrunk, since furniture is not round."""
    (centre_a, radius_a), (centre_b, radius_b) = a.bounds(), b.bounds()
    reach = 0.7 * (radius_a + radius_b)
    return (centre_a[0] - centre_b[0]) ** 2 + (centre_a[2] - centre_b[2]) ** 2 < reach * reach


def light(draws: Draws, size: Size) -> tuple[Lamp, ...]:
    """A ceiling lamp that casts shadows and daylight from one side that does not."""
    warm = draws.between(0.75, 1.0)
    power = draws.between(2.6, 3.6)
    ceiling = Lamp(
        (size[0] * draws.between(0.35, 0.65), size[1] - 0.25, min(size[2] * draws.between(0.35, 0.6), 3.5)),
        (power, power * (0.5 + 0.5 * warm), power * warm),
        shadows=True,
    )
    side = draws.between(0.8, 1.6)
    window = Lamp(
        (draws.one_of((0.3, size[0] - 0.3)), 1.6, size[2] * draws.between(0.3, 0.8)),
        (side * 0.85, side * 0.95, side),
        shadows=False,
    )
    return ceiling, window
