import { describe, expect, it } from 'vitest'

import { compareLosses, LOSS_TOKENS, lossOfLabel, lossToken, MARKER_PATHS, parseDash, plotlyDash } from './losses'

const luminance = (hex: string) => {
  const [r, g, b] = [1, 3, 5].map((i) => {
    const c = Number.parseInt(hex.slice(i, i + 2), 16) / 255
    return c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4
  })
  return 0.2126 * r! + 0.7152 * g! + 0.0722 * b!
}
const contrast = (a: string, b: string) => {
  const [hi, lo] = [luminance(a), luminance(b)].toSorted((x, y) => y - x)
  return (hi! + 0.05) / (lo! + 0.05)
}

describe('the identity of a loss', () => {
  it('stands out from the page by at least 3.2 in light and 4.6 in dark', () => {
    for (const token of Object.values(LOSS_TOKENS)) {
      expect(contrast(token.light, '#ffffff')).toBeGreaterThan(3.15)
      expect(contrast(token.dark, '#131519')).toBeGreaterThan(4.55)
    }
  })

  it('shares neither colour, dash nor marker with another loss', () => {
    const tokens = Object.values(LOSS_TOKENS)
    for (const key of ['light', 'dark', 'marker'] as const) expect(new Set(tokens.map((t) => t[key])).size).toBe(tokens.length)
    expect(new Set(tokens.map((t) => t.dash.join(' '))).size).toBe(tokens.length)
  })

  it('has a path for every marker', () => {
    for (const token of Object.values(LOSS_TOKENS)) expect(MARKER_PATHS[token.marker]).toMatch(/^M/)
  })

  it('is found in a label, and is the sum where several are added', () => {
    expect(['huber threshold=0.5', 'ms_ssim (3 scales)', 'l1 + 2 ms_ssim (3 scales)', '0.5 (l1 + eigen)'].map(lossOfLabel)).toEqual(['huber', 'ms_ssim', 'sum', 'sum'])
  })

  it('comes from the catalogue when the catalogue knows the loss', () => {
    const entry = { name: 'l1', title: 'L1', colour: { light: '#111111', dark: '#eeeeee' }, dash: '8px,3px', marker: 'star' }
    expect(lossToken('l1', [entry])).toEqual({ light: '#111111', dark: '#eeeeee', dash: [8, 3], marker: 'star' })
    expect(lossToken('l2', [entry])).toBe(LOSS_TOKENS.l2)
  })

  it('reads a dash in any of its spellings', () => {
    expect(parseDash('solid')).toEqual([])
    expect(parseDash('10 3 2 3')).toEqual([10, 3, 2, 3])
    expect(plotlyDash(LOSS_TOKENS.l2!)).toBe('8px,3px')
    expect(plotlyDash(LOSS_TOKENS.l1!)).toBe('solid')
  })

  it('keeps the order of the paper and puts unknown losses last', () => {
    expect(['zeta', 'gan', 'l1', 'huber'].toSorted(compareLosses)).toEqual(['l1', 'huber', 'gan', 'zeta'])
  })
})
