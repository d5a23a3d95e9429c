/** Maps as they are shown: made once of a prediction and its ground truth, and kept as long as both. */

import { masked, medianScaled, type DepthMap } from './depth'
import { edges } from './edges'

type Make = (pred: DepthMap, truth: DepthMap) => DepthMap

function kept(make: Make): Make {
  const known = new WeakMap<DepthMap, { truth: DepthMap; made: DepthMap }>()
  return (pred, truth) => {
    const found = known.get(pred)
    if (found?.truth === truth) return found.made
    const made = make(pred, truth)
    known.set(pred, { truth, made })
    return made
  }
}

const scaled = kept(medianScaled)
const hidden = kept(masked)

/** The prediction's metres: its own, or brought to the ground truth's median. */
export function metresOf(pred: DepthMap, truth: DepthMap | undefined, median: boolean): DepthMap {
  return median && truth ? scaled(pred, truth) : pred
}

export function masking(pred: DepthMap, truth: DepthMap | undefined, mask: boolean): DepthMap {
  return mask && truth ? hidden(pred, truth) : pred
}

const found = new WeakMap<DepthMap, Uint8Array>()

export function edgesOf(truth: DepthMap): Uint8Array {
  const known = found.get(truth) ?? edges(truth)
  found.set(truth, known)
  return known
}
