/** What a loss does to one error, to a wrong scale and to a pixel with two answers; the worker's torch functions are the reference. */

/** Metres; the worker clamps a prediction here before a logarithm. */
const MIN_DEPTH = 1e-3
/** Inside the root of SILog. */
const ROOT_FLOOR = 1e-6
/** Pixels of the picture that the released code divides by once more: 256 × 320. */
const PIXELS = 81_920
/** Of the batch's largest error, where nobody sets c. */
const THRESHOLD_RATIO = 0.2

export interface Knobs {
  /** threshold in metres */
  c: number
  lam: number
  /** Kendall & Gal's log variance */
  s: number
  /** ground truth in metres */
  y: number
}

interface Shape {
  value: (l: number, knobs: Knobs) => number
  /** the derivative with respect to the residual */
  slope: (l: number, knobs: Knobs) => number
}

const parabola = (l: number, c: number) => (l * l + c * c) / (2 * c)
const sign = (l: number) => Math.sign(l)

const logError = (l: number, y: number) => Math.log(y) - Math.log(Math.max(y - l, MIN_DEPTH))
const logSlope = (l: number, y: number) => (y - l < MIN_DEPTH ? 0 : 1 / (y - l))

/** κ d² for an error that is the same everywhere: what is left of a mean square when a share of the squared mean is forgiven. */
function squaredLog(share: (knobs: Knobs) => number): Shape {
  return {
    value: (l, k) => share(k) * logError(l, k.y) ** 2,
    slope: (l, k) => 2 * share(k) * logError(l, k.y) * logSlope(l, k.y),
  }
}

const silog = (d: number, lam: number) => 10 * Math.sqrt((1 - lam) * d * d + ROOT_FLOOR)

/** Losses that one residual decides, where every pixel has the same one and the truth is flat. */
export const SHAPES: Record<string, Shape> = {
  l1: { value: Math.abs, slope: sign },
  l2: { value: (l) => l * l, slope: (l) => 2 * l },
  huber: {
    value: (l, { c }) => (Math.abs(l) >= c ? Math.abs(l) : parabola(l, c)),
    slope: (l, { c }) => (Math.abs(l) >= c ? sign(l) : l / c),
  },
  berhu: {
    value: (l, { c }) => (Math.abs(l) <= c ? Math.abs(l) : parabola(l, c)),
    slope: (l, { c }) => (Math.abs(l) <= c ? sign(l) : l / c),
  },
  eigen: squaredLog(({ lam }) => 1 - lam),
  eigengrad: squaredLog(({ lam }) => 1 - lam / 2),
  huber_textbook: {
    value: (l, { c }) => (Math.abs(l) <= c ? (l * l) / 2 : c * Math.abs(l) - (c * c) / 2),
    slope: (l, { c }) => (Math.abs(l) <= c ? l : c * sign(l)),
  },
  eigen_as_released: squaredLog(() => 1 - 0.5 / PIXELS ** 2),
  kendall_gal: {
    value: (l, { s }) => 0.5 * (Math.exp(-s) * l * l + s),
    slope: (l, { s }) => Math.exp(-s) * l,
  },
  silog_sqrt: {
    value: (l, { lam, y }) => silog(logError(l, y), lam),
    slope: (l, { lam, y }) => (100 * (1 - lam) * logError(l, y) * logSlope(l, y)) / silog(logError(l, y), lam),
  },
}

/** λ where the worker has another than 0.5. */
export const LAMBDA: Record<string, number> = { silog_sqrt: 0.85 }

export type Knob = 'c' | 'lam' | 's'
export const KNOB: Record<string, Knob> = { huber: 'c', berhu: 'c', huber_textbook: 'c', eigen: 'lam', eigengrad: 'lam', silog_sqrt: 'lam', kendall_gal: 's' }

/** Why a loss has no curve against one residual. */
export const NO_CURVE: Record<string, string> = {
  gan: 'What the discriminator thinks depends on whole patches of 34 × 34 pixels and changes while it learns. Only λ|ℓ| is a curve, that of L1 times λ.',
  eigengrad_as_released: 'Its Sobel filters see neighbours and the border of the picture. Without them it is Eigen, as released.',
  ms_ssim: 'It compares means and contrasts of windows of 11 × 11 pixels at several scales. An offset of a whole window costs next to nothing.',
  l1_ms_ssim: 'Its larger part compares windows of up to 49 × 49 pixels. Alone, its L1 term is (1 − α)|ℓ|/R.',
  lpips: 'It compares features that a network sees in the whole picture. What one pixel costs depends on all others.',
  gradient_matching: 'It is a function of differences between neighbours. An error that is the same everywhere costs nothing at all.',
  sum: 'It is what its parts add up to. Look at each of them.',
}

/** Depths in metres, 2.9 on average, of the scene whose scale is wrong. */
export const SCENE = [1.2, 1.6, 2, 2.5, 2.9, 3.4, 4.2, 5.4]

const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length

/** The loss over the scene when the prediction is `scale` times the truth; c is a fifth of the largest error, as in training. */
export function scaleCost(name: string, scale: number, lam: number): number | null {
  const shape = SHAPES[name]
  if (!shape) return null
  const errors = SCENE.map((y) => y - scale * y)
  const c = Math.max(THRESHOLD_RATIO * Math.max(...errors.map(Math.abs)), 1e-6)
  return mean(errors.map((l, i) => shape.value(l, { c, lam, s: 0, y: SCENE[i]! })))
}

export type Invariance = 'yes' | 'in part' | 'no'

/** What of a wrong scale is forgiven, and why. */
export function invariance(name: string, lam: number): { word: string; kind: Invariance } {
  const share = { eigen: lam, eigengrad: lam / 2, silog_sqrt: lam }[name]
  if (name === 'eigen_as_released') return { word: 'no, its mean term vanishes', kind: 'no' }
  if (share === undefined || share === 0) return { word: 'no', kind: 'no' }
  if (share === 1) return { word: 'yes', kind: 'yes' }
  return { word: share === 0.5 ? 'half' : `${Math.round(100 * share)} %`, kind: 'in part' }
}

export const NEAR = 2
export const FAR = 4

/** The loss of many pixels that are all predicted as `pred`, a share `p` of which is 2 m away and the rest 4 m. */
export function bimodalCost(name: string, pred: number, p: number, knobs: Omit<Knobs, 'y'>): number | null {
  const shape = SHAPES[name]
  if (!shape) return null
  const mixed = (f: (y: number) => number) => p * f(NEAR) + (1 - p) * f(FAR)
  if (!LOG.has(name)) return mixed((y) => shape.value(y - pred, { ...knobs, y }))
  const average = mixed((y) => logError(y - pred, y))
  const variance = mixed((y) => (logError(y - pred, y) - average) ** 2)
  if (name === 'silog_sqrt') return 10 * Math.sqrt(variance + (1 - knobs.lam) * average ** 2 + ROOT_FLOOR)
  return variance + (name === 'eigen' ? 1 - knobs.lam : 1 - 0.5 / PIXELS ** 2) * average ** 2
}

const LOG = new Set(['eigen', 'eigen_as_released', 'silog_sqrt'])
const STEPS = 2000

/** The cheapest predictions between the two depths, from and to: more than one where the loss does not care. */
export function cheapest(name: string, p: number, knobs: Omit<Knobs, 'y'>): [number, number] | null {
  const grid = Array.from({ length: STEPS + 1 }, (_, i) => NEAR + ((FAR - NEAR) * i) / STEPS)
  const costs = grid.map((pred) => bimodalCost(name, pred, p, knobs))
  if (costs.some((cost) => cost === null)) return null
  const least = Math.min(...(costs as number[]))
  const ties = grid.filter((_, i) => costs[i]! <= least + 1e-9 * Math.max(1, least))
  return [ties[0]!, ties.at(-1)!]
}
