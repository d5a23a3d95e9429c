/** Sample images by name. */

import type { PredictionEntry } from '../api/types'
import type { DepthMap } from './depth'

/** The names of the images; of several with one name, as of a script that shows other photographs under it, each with its first step. */
export function frameLabels(predictions: readonly Pick<PredictionEntry, 'frame_id' | 'frame' | 'step'>[]): Map<number, string> {
  const first = new Map<number, { frame: string; step: number }>()
  for (const { frame_id, frame, step } of predictions) {
    const known = first.get(frame_id)
    if (!known || step < known.step) first.set(frame_id, { frame, step })
  }
  const named = new Map<string, number>()
  for (const { frame } of first.values()) named.set(frame, (named.get(frame) ?? 0) + 1)
  return new Map([...first].map(([id, { frame, step }]) => [id, named.get(frame) === 1 ? frame : `${frame}, from step ${step}`]))
}

/** The names without the folder that all of them share: `test/00033` → `00033`. */
export function withoutSharedFolder(names: readonly string[]): string[] {
  const folders = new Set(names.map((name) => name.slice(0, name.lastIndexOf('/') + 1)))
  const shared = folders.size === 1 ? [...folders][0]! : ''
  return names.map((name) => name.slice(shared.length))
}

/** The frame after or before the one shown, round the end to the other. */
export function frameAt(ids: readonly number[], shown: number, by: 1 | -1): number {
  return ids[(ids.indexOf(shown) + by + ids.length) % ids.length]!
}

/** RMSE in metres over the pixels that both maps have; null where there is none. For maps of scripts, which no evaluation scored. */
export function rmseOf(pred: DepthMap | undefined, truth: DepthMap | undefined): number | null {
  if (!pred || !truth || pred.values.length !== truth.values.length) return null
  let [sum, n] = [0, 0]
  pred.values.forEach((value, i) => {
    const expected = truth.values[i]!
    if (value === 0 || expected === 0) return
    sum += ((value - expected) / 1000) ** 2
    n += 1
  })
  return n > 0 ? Math.sqrt(sum / n) : null
}

/** Whether RGBA pixels are all the same grey: what stands where a script showed no photograph. */
export function isFlat(pixels: Uint8ClampedArray): boolean {
  return pixels.every((value, i) => (i % 4 === 3 ? value === 255 : value === pixels[0]))
}
