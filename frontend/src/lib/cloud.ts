/** A depth map as points in space, by the camera of depthboard/camera.py, and a view of them without WebGL. */

import type { DepthMap } from './depth'

/** In pixels of the map; pixel centres lie at whole numbers. */
export interface Camera {
  fx: number
  fy: number
  cx: number
  cy: number
}

export interface Cloud {
  /** x right, y down, z forward, metres */
  xyz: Float32Array
  /** which pixel of the map each point is */
  pixels: Uint32Array
}

/** The points of all valid pixels: X = (x − cx)·Z/fx, Y = (y − cy)·Z/fy. */
export function backProject({ width, values }: DepthMap, camera: Camera): Cloud {
  let n = 0
  for (const value of values) if (value > 0) n++
  const xyz = new Float32Array(3 * n)
  const pixels = new Uint32Array(n)
  let k = 0
  for (let i = 0; i < values.length; i++) {
    if (values[i] === 0) continue
    const z = values[i]! / 1000
    const x = i % width
    xyz[3 * k] = ((x - camera.cx) / camera.fx) * z
    xyz[3 * k + 1] = (((i - x) / width - camera.cy) / camera.fy) * z
    xyz[3 * k + 2] = z
    pixels[k++] = i
  }
  return { xyz, pixels }
}

/** The camera of a map of this size whose horizontal field of view is assumed, in degrees: square pixels, the axis through the middle. */
export function assumedCamera(width: number, height: number, degrees: number): Camera {
  const focal = width / (2 * Math.tan((degrees * Math.PI) / 360))
  return { fx: focal, fy: focal, cx: (width - 1) / 2, cy: (height - 1) / 2 }
}

/** Horizontal field of view in degrees of a map `width` pixels wide. */
export function fieldOfView(camera: Camera, width: number): number {
  return ((Math.atan((camera.cx + 0.5) / camera.fx) + Math.atan((width - 0.5 - camera.cx) / camera.fx)) * 180) / Math.PI
}

/** Where the points are looked at from: turned about a pivot on the camera's axis, `far` metres away from it. */
export interface Orbit {
  yaw: number
  pitch: number
  zoom: number
}

export const FRONT: Orbit = { yaw: 0.45, pitch: 0.3, zoom: 1 }

const STEEPEST = 1.4

export function turned(orbit: Orbit, dx: number, dy: number): Orbit {
  return { ...orbit, yaw: orbit.yaw + dx, pitch: Math.min(STEEPEST, Math.max(-STEEPEST, orbit.pitch + dy)) }
}

export function zoomed(orbit: Orbit, factor: number): Orbit {
  return { ...orbit, zoom: Math.min(12, Math.max(0.3, orbit.zoom * factor)) }
}

export interface Screen {
  width: number
  height: number
  /** a word a pixel */
  words: Uint32Array
  /** scratch: distance of what is drawn in each pixel */
  depths: Float32Array
}

export function screenOf(width: number, height: number, words: Uint32Array): Screen {
  return { width, height, words, depths: new Float32Array(width * height) }
}

/** Pixels of the screen that a point may be wide. */
const LARGEST = 12

/** Draws the points, the nearest in front; `pivot` is the depth of the point that is turned about, `colours` a word a pixel of the map. */
export function drawCloud(screen: Screen, cloud: Cloud, colours: Uint32Array, orbit: Orbit, pivot: number, camera: Camera, mapWidth: number): void {
  const { width, height, words, depths } = screen
  words.fill(0)
  depths.fill(Infinity)
  const [sy, cy, sp, cp] = [Math.sin(orbit.yaw), Math.cos(orbit.yaw), Math.sin(orbit.pitch), Math.cos(orbit.pitch)]
  const focal = (camera.fx / mapWidth) * width * 0.86
  const away = pivot / orbit.zoom
  const { xyz, pixels } = cloud
  // A point is as large as the gap to its neighbour, so that surfaces are closed when they are near.
  const size = 1.3 * (pivot / camera.fx) * focal
  for (let k = 0; k < pixels.length; k++) {
    const [x, y, z] = [xyz[3 * k]!, xyz[3 * k + 1]!, xyz[3 * k + 2]! - pivot]
    const x1 = cy * x + sy * z
    const z1 = cy * z - sy * x
    const y1 = cp * y - sp * z1
    const z2 = cp * z1 + sp * y + away
    if (z2 < 0.05) continue
    const left = Math.round((focal * x1) / z2 + width / 2)
    const top = Math.round((focal * y1) / z2 + height / 2)
    const side = Math.min(LARGEST, Math.max(1, Math.ceil((size * ((z + pivot) / pivot)) / z2 - 0.2)))
    splat(words, depths, width, height, left, top, side, z2, colours[pixels[k]!]!)
  }
}

function splat(words: Uint32Array, depths: Float32Array, width: number, height: number, left: number, top: number, side: number, z: number, colour: number): void {
  for (let y = Math.max(0, top); y < Math.min(height, top + side); y++) {
    for (let x = Math.max(0, left); x < Math.min(width, left + side); x++) {
      const i = y * width + x
      if (z < depths[i]!) {
        depths[i] = z
        words[i] = colour
      }
    }
  }
}

/** The middle depth of a map in metres: what a view of it is turned about. */
export function pivotOf({ values }: DepthMap): number {
  const valid = values.filter((v) => v > 0).toSorted()
  return valid.length > 0 ? valid[valid.length >> 1]! / 1000 : 3
}
