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

/** What can be had as a file: its address without the query, the stem of the file's name, and the call that fetches it in Python. */
export interface Source {
  path: string
  stem: string
  call: string
}

export function ofExperiment(experiment: number, name: string): Source {
  return { path: `/api/experiments/${experiment}/figures/${name}`, stem: `experiment-${experiment}-${name}`, call: `client.figure(${experiment}, ${quoted(name)}, **options)` }
}

/** The texts of a table, which are no figure. */
export function tableOf(experiment: number, name: string): Source {
  return { path: `/api/experiments/${experiment}/${name}`, stem: `experiment-${experiment}-${name}`, call: `client.table(${experiment}, ${quoted(name)}, **options)` }
}

export function ofRun(run: number): Source {
  return { path: `/api/runs/${run}/figure`, stem: `run-${run}`, call: `client.run_figure(${run}, **options)` }
}

/** `runs`: ids with commas between, as the address has them. */
export function ofComparison(runs: string, name: string): Source {
  return { path: `/api/compare/${name}?runs=${encodeURIComponent(runs)}`, stem: `compare-${name}`, call: `client.comparison([${runs.split(',').join(', ')}], ${quoted(name)}, **options)` }
}

export function fileName(source: Source, format: FileFormat): string {
  return `${source.stem}.${endingOf(format)}`
}

export function addressOf(source: Source, query: Record<string, string>): string {
  return `${source.path}${source.path.includes('?') ? '&' : '?'}${new URLSearchParams(query)}`
}

/** What JSON writes of texts, Python reads alike. */
function quoted(text: string): string {
  return JSON.stringify(text)
}

/** A script that writes the same file. */
export function pythonLines(origin: string, source: Source, query: Record<string, string>): string {
  const options = Object.entries(query).map(([key, value]) => `${quoted(key)}: ${quoted(value)}`)
  return [
    'from pathlib import Path',
    '',
    'from depthboard.client import Client',
    '',
    `options = {${options.join(', ')}}`,
    `with Client(${quoted(origin)}) as client:`,
    `    Path(${quoted(fileName(source, query.format as FileFormat))}).write_bytes(${source.call})`,
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
