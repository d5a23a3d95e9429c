"""Ray casting of a scene: colour and exact depth at every pixel's centre.

Every step is one of +, −, ×, ÷, √, comparison or integer arithmetic on float32 arrays, which IEEE 754 fixes to the last bit,
so a scene has the same bytes on every machine. Vectors are three arrays, one an axis.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from worker.data.rooms.scene import Lamp, Pattern, Piece, Scene
from worker.data.rooms.surfaces import mix

F = np.float32
Array = np.ndarray
Vector = tuple[Array, Array, Array]
TILE = 8192
"""Rays cast together: their arrays stay in the processor's cache."""
TINY = F(1e-6)
FAR = F(1e9)


def each_axis(make: Callable[[int], Array]) -> Vector:
    return make(0), make(1), make(2)


def render(scene: Scene, height: int, width: int) -> tuple[Array, Array]:
    """Linear colour (height, width, 3) before exposure, and depth (height, width) in metres along the optical axis."""
    solids = solids_of(scene)
    colour = np.empty((height * width, 3), F)
    depth = np.empty(height * width, F)
    rays = camera_rays(scene, height, width)
    pixel = F(2 * scene.camera.tangent / width)
    for start in range(0, height * width, TILE):
        part = slice(start, start + TILE)
        directions = (rays[0][part], rays[1][part], rays[2][part])
        colour[part], depth[part] = shade(scene, solids, directions, pixel)
    return colour.reshape(height, width, 3), depth.reshape(height, width)


def camera_rays(scene: Scene, height: int, width: int) -> Vector:
    """Directions whose component along the optical axis is 1, so that the ray's parameter is the depth itself."""
    camera = scene.camera
    across = (np.arange(width, dtype=F) * F(2) + F(1) - F(width)) * F(camera.tangent / width)
    down = (np.arange(height, dtype=F) * F(2) + F(1) - F(height)) * F(camera.tangent / width)
    right, up, forward = camera.axes.astype(F)
    return each_axis(lambda k: (forward[k] + across[None, :] * right[k] - down[:, None] * up[k]).ravel())


def solids_of(scene: Scene) -> list[Solid]:
    """The furniture, with its materials numbered after the room's own."""
    solids, number = [], len(scene.surfaces)
    for piece in scene.pieces:
        solids.append(Solid(piece, number))
        number += len(piece.materials)
    return solids


class Solid:
    """A piece of furniture with its parts as columns (K, 1), ready to be met by rays (P,)."""

    def __init__(self, piece: Piece, first_material: int) -> None:
        self.spot, self.facing = (F(piece.x), F(piece.z)), (F(piece.facing[0]), F(piece.facing[1]))
        self.box = _columns([[*b.centre, *b.half] for b in piece.boxes], 6)
        self.round = _columns([[*c.foot, c.radius, c.height] for c in piece.cylinders], 5)
        self.first_material = first_material
        centre, radius = piece.bounds()
        self.centre, self.radius = tuple(F(x) for x in centre), F(radius * 1.001)

    def touched(self, origin: Vector, direction: Vector) -> Array:
        """Numbers of the rays that pass through the ball around the piece, ahead of their origin."""
        x, y, z = (origin[k] - self.centre[k] for k in range(3))
        along = x * direction[0] + y * direction[1] + z * direction[2]
        length = direction[0] * direction[0] + direction[1] * direction[1] + direction[2] * direction[2]
        outside = x * x + y * y + z * z - self.radius * self.radius
        return np.flatnonzero((along * along > length * outside) & ((along < 0) | (outside < 0)))

    def inside(self, vector: Vector, is_point: bool) -> Vector:
        """A point or a direction in the piece's own axes."""
        x, y, z = (vector[0] - self.spot[0], vector[1], vector[2] - self.spot[1]) if is_point else vector
        cos, sin = self.facing
        return x * cos - z * sin, y, x * sin + z * cos

    def meet(self, origin: Vector, direction: Vector) -> tuple[Array, Array]:
        """Parameter of the first hit (FAR without one) and the part hit: boxes first, then cylinders."""
        origin, direction = self.inside(origin, True), self.inside(direction, False)
        hits = np.concatenate(
            [_meet_boxes(self.box, origin, direction), _meet_cylinders(self.round, origin, direction)]
        )
        part = hits.argmin(axis=0)
        return hits.min(axis=0), part

    def surface(self, part: Array, point: Vector) -> list[Array]:
        """Outward normal, pattern coordinates and material number of points on these parts."""
        local = self.inside(point, True)
        out = [np.empty_like(point[0]) for _ in range(6)]
        on_box = part < self.box.shape[1]
        if on_box.any():
            _put(on_box, out[:5], _box_surface(self.box[:, part[on_box], 0], _at(local, on_box)))
        if not on_box.all():
            number = part[~on_box] - self.box.shape[1]
            _put(~on_box, out[:5], _cylinder_surface(self.round[:, number, 0], _at(local, ~on_box)))
        cos, sin = self.facing
        out[0], out[2] = out[0] * cos + out[2] * sin, out[2] * cos - out[0] * sin
        out[5] = (part + self.first_material).astype(F)
        return out


def _meet_boxes(columns: Array, origin: Vector, direction: Vector) -> Array:
    cx, cy, cz, hx, hy, hz = columns
    near_x, far_x = _slab(origin[0] - cx, direction[0], hx)
    near_y, far_y = _slab(origin[1] - cy, direction[1], hy)
    near_z, far_z = _slab(origin[2] - cz, direction[2], hz)
    near = np.maximum(np.maximum(near_x, near_y), near_z)
    far = np.minimum(np.minimum(far_x, far_y), far_z)
    return np.where((near < far) & (near > TINY), near, FAR)


def _meet_cylinders(columns: Array, origin: Vector, direction: Vector) -> Array:
    fx, fy, fz, radius, tall = columns
    ox, oz = origin[0] - fx, origin[2] - fz
    a = np.maximum(direction[0] * direction[0] + direction[2] * direction[2], TINY)
    b = ox * direction[0] + oz * direction[2]
    inside = b * b - a * (ox * ox + oz * oz - radius * radius)
    root = np.sqrt(np.maximum(inside, F(0)))
    near_y, far_y = _slab(origin[1] - fy - tall * F(0.5), direction[1], tall * F(0.5))
    near = np.maximum((-b - root) / a, near_y)
    far = np.minimum((root - b) / a, far_y)
    return np.where((inside > F(0)) & (near < far) & (near > TINY), near, FAR)


def _columns(rows: list[list[float]], width: int) -> Array:
    return np.array(rows, F).reshape(-1, width).T[:, :, None]


def _slab(origin: Array, direction: Array, half: Array) -> tuple[Array, Array]:
    """Where a ray enters and leaves −half … half along one axis."""
    inverse = F(1) / _away_from_zero(direction)
    middle, reach = -origin * inverse, half * np.abs(inverse)
    return middle - reach, middle + reach


def _away_from_zero(x: Array) -> Array:
    return np.where(np.abs(x) < TINY, TINY, x)


def shade(scene: Scene, solids: list[Solid], direction: Vector, pixel: F) -> tuple[Array, Array]:
    """Colour (P, 3) and depth (P,) of rays from the camera; `pixel` is a pixel's width at one metre."""
    eye = each_axis(lambda k: np.full(1, scene.camera.position[k], F))
    depth, face, owner, part = _cast(scene, solids, eye, direction)
    point = each_axis(lambda k: eye[k] + depth * direction[k])
    surface = _room_surface(face, point)
    for number, solid in enumerate(solids):
        chosen = np.flatnonzero(owner == number)
        if chosen.size:
            _put(chosen, surface, solid.surface(part[chosen], _at(point, chosen)))
    normal, (u, v, material) = surface[:3], surface[3:]
    facing = -(normal[0] * direction[0] + normal[1] * direction[1] + normal[2] * direction[2])
    slant = np.sqrt(direction[0] * direction[0] + direction[1] * direction[1] + direction[2] * direction[2])
    footprint = depth * pixel * slant / np.maximum(facing, F(0.02) * slant)
    albedo, glow = _albedo(scene, material, u, v, footprint, point)
    received = _lighting(scene, solids, point, normal)
    return albedo * np.maximum(received, glow[:, None]), depth


def _cast(scene: Scene, solids: list[Solid], eye: Vector, direction: Vector) -> tuple[Array, Array, Array, Array]:
    """What each ray meets first: depth, face of the room behind, number of the piece in front (−1 for none) and its part."""
    depth, face = _leave_room(scene, eye, direction)
    owner = np.full(depth.shape, -1, np.intp)
    part = np.zeros(depth.shape, np.intp)
    for number, solid in enumerate(solids):
        touched = solid.touched(eye, direction)
        if touched.size:
            near, which = solid.meet(eye, _at(direction, touched))
            closer = near < depth[touched]
            chosen = touched[closer]
            depth[chosen], part[chosen], owner[chosen] = near[closer], which[closer], number
    return depth, face, owner, part


def _leave_room(scene: Scene, eye: Vector, direction: Vector) -> tuple[Array, Array]:
    """Depth of the wall, floor or ceiling behind everything, and which of the six it is."""
    leaving = []
    for k in range(3):
        d = _away_from_zero(direction[k])
        leaving.append((np.where(d > 0, F(scene.size[k]), F(0)) - eye[k]) / d)
    depth = np.minimum(np.minimum(leaving[0], leaving[1]), leaving[2])
    axis = np.where(depth == leaving[0], 0, np.where(depth == leaving[1], 1, 2))
    positive = np.choose(axis, [d > 0 for d in direction])
    return depth, 2 * axis + positive


def _room_surface(face: Array, point: Vector) -> list[Array]:
    """Inward normal, pattern coordinates in metres and material number of points on the room's shell."""
    axis, sign = face >> 1, F(1) - F(2) * (face & 1).astype(F)
    normal = [np.where(axis == k, sign, F(0)) for k in range(3)]
    u = np.where(axis == 0, point[2], point[0])
    v = np.where(axis == 1, point[2], point[1])
    return [*normal, u, v, face.astype(F)]


def _box_surface(columns: Array, point: Vector) -> list[Array]:
    cx, cy, cz, hx, hy, hz = columns
    x, y, z = point[0] - cx, point[1] - cy, point[2] - cz
    outward = np.stack([np.abs(x) - hx, np.abs(y) - hy, np.abs(z) - hz])
    axis = outward.argmax(axis=0)
    side = np.where(np.choose(axis, [x, y, z]) > 0, F(1), F(-1))
    nx, ny, nz = (np.where(axis == k, side, F(0)) for k in range(3))
    u = np.where(axis == 0, z, x) + F(7)
    v = np.where(axis == 1, z, y) + F(7)
    return [nx, ny, nz, u, v]


def _cylinder_surface(columns: Array, point: Vector) -> list[Array]:
    fx, fy, fz, radius, tall = columns
    x, y, z = point[0] - fx, point[1] - fy, point[2] - fz
    across = np.sqrt(np.maximum(x * x + z * z, TINY))
    cap = (across < radius * F(0.995)) & ((y > tall * F(0.99)) | (y < tall * F(0.01)))
    nx, nz = np.where(cap, F(0), x / across), np.where(cap, F(0), z / across)
    ny = np.where(cap, np.where(y > tall * F(0.5), F(1), F(-1)), F(0))
    return [nx, ny, nz, x + F(7), y + F(7)]


def _albedo(scene: Scene, number: Array, u: Array, v: Array, footprint: Array, point: Vector) -> tuple[Array, Array]:
    """Reflectance (P, 3) and glow (P,) of points with these material numbers."""
    materials = [*scene.surfaces, *(m for piece in scene.pieces for m in piece.materials)]
    index = number.astype(np.intp)
    first = np.array([m.first for m in materials], F)[index]
    second = np.array([m.second for m in materials], F)[index]
    kind = np.array([m.pattern for m in materials], F)[index]
    period = np.array([1 / m.scale for m in materials], F)[index]
    share = mix(kind, u * period, v * period, footprint * period)
    albedo = first + (second - first) * share[:, None]
    skirting = (index < len(scene.surfaces)) & (index != 2) & (point[1] < F(0.1))
    albedo *= np.where(skirting, F(0.45), F(1))[:, None]
    return albedo, np.where(kind == F(Pattern.glowing), F(1), F(0))


def _lighting(scene: Scene, solids: list[Solid], point: Vector, normal: list[Array]) -> Array:
    """Light received (P, 3): ambient dimmed in corners, plus each lamp."""
    total = np.repeat((F(scene.ambient) * _openness(scene, point, normal))[:, None], 3, axis=1)
    for lamp in scene.lamps:
        total += _from_lamp(lamp, solids, point, normal)[:, None] * np.array(lamp.colour, F)
    return total


def _openness(scene: Scene, point: Vector, normal: list[Array]) -> Array:
    """1 in the open, falling to 0.4 in the corners where two of the room's planes meet."""
    open_ = np.ones_like(point[0])
    for axis in range(3):
        gap = np.minimum(point[axis], F(scene.size[axis]) - point[axis])
        near = np.clip(gap * F(1.6), F(0), F(1))
        open_ *= np.where(np.abs(normal[axis]) > F(0.5), F(1), F(0.4) + F(0.6) * near)
    return open_


def _from_lamp(lamp: Lamp, solids: list[Solid], point: Vector, normal: list[Array]) -> Array:
    """Lambert's law with falloff 1 / (1 + d²) and, where the lamp casts them, hard shadows."""
    to = each_axis(lambda k: F(lamp.position[k]) - point[k])
    square = to[0] * to[0] + to[1] * to[1] + to[2] * to[2]
    cosine = (normal[0] * to[0] + normal[1] * to[1] + normal[2] * to[2]) / np.sqrt(square + TINY)
    light: Array = np.maximum(cosine, F(0)) / (F(1) + square)
    if lamp.shadows:
        lit = np.flatnonzero(cosine > 0)
        start = each_axis(lambda k: point[k][lit] + normal[k][lit] * F(2e-3))
        light[lit[_blocked(solids, start, _at(to, lit))]] *= F(0.25)
    return light


def _blocked(solids: list[Solid], origin: Vector, direction: Vector) -> Array:
    """Which rays meet furniture before their end, at parameter 1."""
    blocked = np.zeros(origin[0].shape, bool)
    for solid in solids:
        touched = solid.touched(origin, direction)
        if touched.size:
            near, _ = solid.meet(_at(origin, touched), _at(direction, touched))
            blocked[touched[near < F(1)]] = True
    return blocked


def _at(vector: Vector, chosen: Array) -> Vector:
    return vector[0][chosen], vector[1][chosen], vector[2][chosen]


def _put(chosen: Array, targets: tuple[Array, ...] | list[Array], values: list[Array]) -> None:
    for target, value in zip(targets, values, strict=True):
        target[chosen] = value
