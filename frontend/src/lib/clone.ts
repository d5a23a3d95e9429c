/** A run's configuration as an experiment of one run, to be changed and submitted. */

import type { Spec } from '../api/types'
import { isRecord } from './spec'

type Tree = Record<string, unknown>

/** What names a cell becomes a factor with one level; all else is held constant. */
export function specOfRun(config: Tree, name: string): Spec {
  const { schema_version: _version, labels: _labels, loss, seed, ...rest } = structuredClone(config)
  const factors: Tree = { loss: [loss] }
  for (const [factor, group, key] of [['size', 'data', 'train_size'], ['encoder', 'network', 'encoder']] as const) {
    const tree = rest[group]
    if (!isRecord(tree) || !(key in tree)) continue
    factors[factor] = [tree[key]]
    delete tree[key]
  }
  return { name: `${name}, cloned`, base: rest, factors: { ...factors, seed: [seed] } }
}
