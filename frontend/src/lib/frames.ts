/** Sample images by name. */

import type { PredictionEntry } from '../api/types'

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
