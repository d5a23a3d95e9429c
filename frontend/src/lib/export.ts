/** The file of a figure or table that is asked for: its address, and the lines of Python that fetch the same. */

export const PICTURES = ['pdf', 'svg', 'png'] as const
export const FIGURE_FORMATS = [...PICTURES, 'csv', 'html', 'json'] as const
export type FileFormat = (typeof FIGURE_FORMATS)[number] | 'latex'

/** Name as the API takes it → words, and the type it comes with, pt. `page` is as on this page. */
export const WIDTHS = {
  single: { label: 'Column', hint: '84 mm', font: 8 },
  double: { label: 'Page', hint: '174 mm', font: 8 },
  slide: { label: 'Slide', hint: '254 mm', font: 14 },
  page: { label: 'Screen', hint: 'as here', font: 9 },
} as const
export type Width = keyof typeof WIDTHS

export interface Choice {
  format: FileFormat
  width: Width
  /** pt; null is what comes with the width */
  font: number | null
  caption: boolean
  theme: 'light' | 'dark'
}

export const PAPER: Choice = { format: 'pdf', width: 'single', font: null, caption: false, theme: 'light' }

/** A choice that was kept, of which anything may be missing or from another version. */
export function asChoice(kept: unknown): Choice {
  const given = (typeof kept === 'object' && kept !== null ? kept : {}) as Partial<Choice>
  return {
    format: FIGURE_FORMATS.includes(given.format as never) ? given.format! : PAPER.format,
    width: given.width !== undefined && Object.hasOwn(WIDTHS, given.width) ? given.width : PAPER.width,
    font: typeof given.font === 'number' && given.font >= 4 && given.font <= 40 ? given.font : null,
    caption: given.caption === true,
    theme: given.theme === 'dark' ? 'dark' : 'light',
  }
}

export function isPicture(format: FileFormat): boolean {
  return PICTURES.includes(format as never)
}

/** The query of a figure's file: its own options first, then those of the form that differ from what the API takes by itself. */
export function figureFile(options: Record<string, string>, choice: Choice): Record<string, string> {
  const { format, width, font, caption, theme } = choice
  const printed = isPicture(format) && width !== 'page'
  return {
    ...options,
    format,
    ...(printed ? { width, ...(font !== null && font !== WIDTHS[width].font ? { font: String(font) } : {}) } : {}),
    ...(isPicture(format) && !caption ? { caption: 'no' } : {}),
    ...((isPicture(format) || format === 'html') && theme === 'dark' ? { theme } : {}),
  }
}

export function endingOf(format: FileFormat): string {
  return format === 'latex' ? 'tex' : format
}

export function fileName(experiment: number, name: string, format: FileFormat): string {
  return `experiment-${experiment}-${name}.${endingOf(format)}`
}

export function addressOf(experiment: number, path: string, query: Record<string, string>): string {
  return `/api/experiments/${experiment}/${path}?${new URLSearchParams(query)}`
}

/** What JSON writes of texts, Python reads alike. */
const quoted = (text: string) => JSON.stringify(text)

/** A script that writes the same file; `table` for the texts of a table, which are no figure. */
export function pythonLines(origin: string, experiment: number, name: string, query: Record<string, string>, table = false): string {
  const options = Object.entries(query).map(([key, value]) => `${quoted(key)}: ${quoted(value)}`)
  const file = fileName(experiment, name, query.format as FileFormat)
  const call = table ? `client.table(${experiment}, ${quoted(name)}, **options)` : `client.figure(${experiment}, ${quoted(name)}, **options)`
  return [
    'from pathlib import Path',
    '',
    'from depthboard.client import Client',
    '',
    `options = {${options.join(', ')}}`,
    `with Client(${quoted(origin)}) as client:`,
    `    Path(${quoted(file)}).write_bytes(${call})`,
    '',
  ].join('\n')
}

/** The part of a LaTeX table that tells how it will look: from the first rule to the last, without comments. */
export function latexBody(text: string): string {
  const lines = text.split('\n')
  const [first, last] = [lines.indexOf('\\toprule'), lines.indexOf('\\bottomrule')]
  return lines
    .slice(Math.max(0, first), last < 0 ? undefined : last + 1)
    .map((line) => line.replace(/ % runs .*$/, ''))
    .join('\n')
}
