/** The design's exact colours. One table for the page, its charts and its tests. */

export type Scheme = 'light' | 'dark'

export interface Palette {
  page: string
  side: string
  raised: string
  line: string
  faint: string
  grid: string
  text: string
  text2: string
  text3: string
  accent: string
  accentSoft: string
  good: string
  warning: string
  warningSoft: string
  failed: string
  done: string
  missing: string
}

export const PALETTES: Record<Scheme, Palette> = {
  light: {
    page: '#ffffff',
    side: '#f7f7f8',
    raised: '#f4f4f6',
    line: '#e4e5e9',
    faint: '#eff0f2',
    grid: '#eff0f2',
    text: '#17181c',
    text2: '#555a64',
    text3: '#6b707b',
    accent: '#6941c6',
    accentSoft: '#f1ecfb',
    good: '#0b7a4b',
    warning: '#9a5b00',
    warningSoft: '#fdf4e3',
    failed: '#c92a2a',
    done: '#8e95a2',
    missing: '#8f95a1',
  },
  dark: {
    page: '#131519',
    side: '#0e1013',
    raised: '#1b1e24',
    line: '#292d34',
    faint: '#20242a',
    grid: '#23272d',
    text: '#eceef1',
    text2: '#a9afba',
    text3: '#8b919d',
    accent: '#a98bfa',
    accentSoft: '#241f38',
    good: '#4cc38a',
    warning: '#f0b429',
    warningSoft: '#2b2415',
    failed: '#ff7b72',
    done: '#5b626d',
    missing: '#666d78',
  },
}

export const FONT = "'Inter Variable', Inter, system-ui, -apple-system, 'Segoe UI', sans-serif"
export const MONO = "'JetBrains Mono Variable', ui-monospace, 'SF Mono', Menlo, Consolas, monospace"
