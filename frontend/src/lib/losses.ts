/** A loss has one colour, one dash and one marker on every page and in every export. */

import type { Scheme } from '../theme/tokens'
import { own } from './own'

export type Marker =
  | 'circle' | 'square' | 'diamond' | 'triangle-up' | 'triangle-down' | 'cross' | 'star' | 'pentagon' | 'hexagon' | 'hourglass'
  | 'diamond-tall' | 'triangle-left' | 'triangle-right' | 'x' | 'octagon' | 'bowtie' | 'hexagram'

export interface LossToken {
  light: string
  dark: string
  /** px on, off, …; empty is solid */
  dash: readonly number[]
  marker: Marker
}

/** The paper's seven, then the others, as backend/figures/tokens.py has them. */
export const LOSS_TOKENS: Record<string, LossToken> = {
  l1: { light: '#2f43b0', dark: '#6376eb', dash: [], marker: 'circle' },
  l2: { light: '#a13a00', dark: '#fd8351', dash: [8, 3], marker: 'square' },
  huber: { light: '#01a287', dark: '#31f4ce', dash: [2, 3], marker: 'diamond' },
  berhu: { light: '#cf66d9', dark: '#c182c6', dash: [10, 3, 2, 3], marker: 'triangle-up' },
  eigen: { light: '#007292', dark: '#78caec', dash: [16, 3], marker: 'triangle-down' },
  eigengrad: { light: '#9b9100', dark: '#e6db4f', dash: [5, 2], marker: 'cross' },
  gan: { light: '#640019', dark: '#d55562', dash: [12, 2, 2, 2, 2, 2], marker: 'star' },
  ms_ssim: { light: '#9e6e48', dark: '#e8b48d', dash: [6, 2, 1, 2], marker: 'pentagon' },
  lpips: { light: '#2c1374', dark: '#a39fff', dash: [1, 3], marker: 'hexagon' },
  kendall_gal: { light: '#454951', dark: '#858a93', dash: [3, 2], marker: 'hourglass' },
  huber_textbook: { light: '#2f7266', dark: '#88d1c3', dash: [2, 3, 8, 3], marker: 'diamond-tall' },
  eigen_as_released: { light: '#548179', dark: '#78a79e', dash: [16, 3, 2, 3], marker: 'triangle-left' },
  eigengrad_as_released: { light: '#535c3b', dark: '#cec801', dash: [5, 2, 1, 2], marker: 'x' },
  l1_ms_ssim: { light: '#5f3b2d', dark: '#dd7125', dash: [4, 4], marker: 'octagon' },
  silog_sqrt: { light: '#8853dd', dark: '#9b85ed', dash: [20, 4], marker: 'triangle-right' },
  gradient_matching: { light: '#56278a', dark: '#8c75c6', dash: [1, 2, 1, 6], marker: 'bowtie' },
  sum: { light: '#5e487c', dark: '#f0dafd', dash: [14, 2, 6, 2], marker: 'hexagram' },
}

/** For a loss the page has never heard of: drawn, but in nobody's colour. */
const UNKNOWN: LossToken = { light: '#6b707b', dark: '#8b919d', dash: [], marker: 'circle' }

const ORDER = Object.keys(LOSS_TOKENS)

interface CatalogueLoss {
  name: string
  title: string
  colour: Record<string, string>
  dash: string
  marker: string
}

/** The catalogue's identity of a loss (dash as `8 3`, `8px,3px` or `solid`), else the design's. */
export function lossToken(name: string, catalogue: readonly CatalogueLoss[] = []): LossToken {
  const known = own(LOSS_TOKENS, name) ?? UNKNOWN
  const entry = catalogue.find((loss) => loss.name === name)
  if (!entry) return known
  return {
    light: entry.colour.light ?? known.light,
    dark: entry.colour.dark ?? known.dark,
    dash: parseDash(entry.dash),
    marker: isMarker(entry.marker) ? entry.marker : known.marker,
  }
}

/** The loss that a label names: the first word, or `sum` for `l1 + 2 ms_ssim (3 scales)`. */
export function lossOfLabel(label: string): string {
  return label.includes(' + ') ? 'sum' : label.split(' ')[0]!
}

export function parseDash(dash: string): number[] {
  return (dash.match(/[\d.]+/g) ?? []).map(Number)
}

export function plotlyDash(token: LossToken): string {
  return token.dash.map((length) => `${length}px`).join(',') || 'solid'
}

export function colourOf(token: LossToken, scheme: Scheme): string {
  return scheme === 'light' ? token.light : token.dark
}

/** Sorts loss names in the paper's order, unknown ones last by name. */
export function compareLosses(a: string, b: string): number {
  const rank = (name: string) => (ORDER.includes(name) ? ORDER.indexOf(name) : ORDER.length)
  return rank(a) - rank(b) || a.localeCompare(b)
}

export function isMarker(name: string): name is Marker {
  return name in MARKER_PATHS
}

/** SVG paths in a 12 × 12 box, filled. */
export const MARKER_PATHS: Record<Marker, string> = {
  circle: 'M6 1.5a4.5 4.5 0 1 1 0 9a4.5 4.5 0 1 1 0-9Z',
  square: 'M2 2H10V10H2Z',
  diamond: 'M6 .6L11.4 6L6 11.4L.6 6Z',
  'triangle-up': 'M6 1.2L11.2 10.4H.8Z',
  'triangle-down': 'M6 10.8L11.2 1.6H.8Z',
  cross: 'M4.4 1H7.6V4.4H11V7.6H7.6V11H4.4V7.6H1V4.4H4.4Z',
  star: 'M6 0L7.5 4.2L12 4.3L8.4 7L9.7 11.3L6 8.8L2.3 11.3L3.6 7L0 4.3L4.5 4.2Z',
  pentagon: 'M6 .8L11.2 4.6L9.2 10.8H2.8L.8 4.6Z',
  hexagon: 'M6 .6L10.7 3.3V8.7L6 11.4L1.3 8.7V3.3Z',
  hourglass: 'M1.5 1.2H10.5L6.9 6L10.5 10.8H1.5L5.1 6Z',
  'diamond-tall': 'M6 .4L9.4 6L6 11.6L2.6 6Z',
  'triangle-left': 'M1.2 6L10.4 .8V11.2Z',
  'triangle-right': 'M10.8 6L1.6 .8V11.2Z',
  x: 'M3.2 1L6 3.8L8.8 1L11 3.2L8.2 6L11 8.8L8.8 11L6 8.2L3.2 11L1 8.8L3.8 6L1 3.2Z',
  octagon: 'M3.9 1H8.1L11 3.9V8.1L8.1 11H3.9L1 8.1V3.9Z',
  bowtie: 'M1.2 1.5L6 5.1L10.8 1.5V10.5L6 6.9L1.2 10.5Z',
  hexagram: 'M6 .4L7.7 3.4H11.2L9.4 6L11.2 8.6H7.7L6 11.6L4.3 8.6H.8L2.6 6L.8 3.4H4.3Z',
}
