import { count, duration, fixed } from '../../lib/format'

function digits(value: number): string {
  return value < 100 ? fixed(value, value < 10 ? 1 : 0) : count(value)
}

/** A place on the x axis with its unit: epoch 320, 12 000 images, 2 h 14 min. */
export function positionWords(axis: string, value: number): string {
  if (axis === 'images') return `${count(value)} images`
  if (axis === 'hours' || axis === 'wall') return duration(3600 * value)
  if (axis === 'gpu') return `${fixed(value, value < 10 ? 2 : 1)} GPU h`
  return `${axis} ${digits(value)}`
}

/** The same as a length: 180 ep, 4 000 steps. */
export function lengthWords(axis: string, value: number): string {
  if (axis === 'epoch') return `${digits(value)} ep`
  if (axis === 'step') return `${count(value)} steps`
  return positionWords(axis, value)
}

/** `epoch 320 of 500` */
export function positionOf(axis: string, value: number, end: number): string {
  const words = positionWords(axis, value)
  if (axis === 'images') return `${count(value)} of ${count(end)} images`
  if (axis === 'epoch' || axis === 'step') return `${words} of ${digits(end)}`
  return `${words} of ${positionWords(axis, end)}`
}
