/** A log as lines: without a terminal's colours and redrawn progress bars, with the level of each line and the places of what is looked for. */

export type Level = 'error' | 'warning' | 'heading' | 'plain'

export interface LogLine {
  /** from 1, as an editor counts */
  number: number
  text: string
  level: Level
}

/** Colours, cursor moves and titles: CSI and OSC sequences, and lone escapes. */
// eslint-disable-next-line no-control-regex
const ANSI = /\u001b(?:\[[0-?]*[ -/]*[@-~]|\][^\u0007\u001b]*(?:\u0007|\u001b\\)|[@-Z\\-_])|\u009b[0-?]*[ -/]*[@-~]/g
// eslint-disable-next-line no-control-regex
const CONTROLS = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f]/g

/** What a terminal would show of a line that was written over itself: what came after the last return. */
function shown(line: string): string {
  const plain = line.replace(ANSI, '').replace(/\r+$/, '')
  return plain.slice(plain.lastIndexOf('\r') + 1).replace(CONTROLS, '')
}

export function logLines(text: string): LogLine[] {
  const lines = text.split('\n')
  if (lines.at(-1) === '') lines.pop()
  let traced = false
  return lines.map((line, i) => {
    const plain = shown(line)
    // A traceback's frames are indented; its last line names the error.
    if (/^\s*Traceback \(most recent call last\)/.test(plain)) traced = true
    const level = traced ? 'error' : levelOf(plain)
    if (traced && /^\S/.test(plain) && !plain.startsWith('Traceback')) traced = false
    return { number: i + 1, text: plain, level }
  })
}

function levelOf(line: string): Level {
  if (/^--- .* ---$/.test(line)) return 'heading'
  if (/\b(error|exception|critical|fatal|killed|traceback)\b|\w(Error|Exception)\b/i.test(line)) return 'error'
  return /\bwarn(ing)?\b|Warning\b|not finite|diverged/i.test(line) ? 'warning' : 'plain'
}

/** The lines of at least this level, headings among them. */
export function atLevel(lines: readonly LogLine[], level: 'all' | 'warning' | 'error'): LogLine[] {
  if (level === 'all') return [...lines]
  const kept = level === 'error' ? ['error', 'heading'] : ['error', 'warning', 'heading']
  return lines.filter((line) => kept.includes(line.level))
}

/** Places among `lines` that hold `wanted`, in any case. */
export function matches(lines: readonly LogLine[], wanted: string): number[] {
  const needle = wanted.toLowerCase()
  if (needle === '') return []
  return lines.flatMap((line, i) => (line.text.toLowerCase().includes(needle) ? [i] : []))
}

/** The line cut at what is looked for: every second piece is a match. */
export function pieces(text: string, wanted: string): string[] {
  if (wanted === '') return [text]
  const [found, lower, needle]: [string[], string, string] = [[], text.toLowerCase(), wanted.toLowerCase()]
  let from = 0
  for (let at = lower.indexOf(needle); at >= 0; at = lower.indexOf(needle, from)) {
    found.push(text.slice(from, at), text.slice(at, at + needle.length))
    from = at + needle.length
  }
  return [...found, text.slice(from)]
}

/** The match after or before the one at hand; round the end to the other. */
export function step(current: number, by: 1 | -1, of: number): number {
  return of === 0 ? 0 : (current + by + of) % of
}
