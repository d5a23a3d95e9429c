/** Numbers and times as the page writes them: unit beside the number, thin space in thousands, a true minus sign. */

const MINUS = '−'
const THIN = '\u202f'
export const NONE = '–'

/** 12000 → 12 000 (narrow no-break space). */
export function count(n: number): string {
  const digits = Math.round(Math.abs(n)).toString()
  return (n < 0 ? MINUS : '') + digits.replace(/\B(?=(\d{3})+$)/g, THIN)
}

/** 795, 12k, 1.5k, 230k, 3.2 M */
export function short(n: number): string {
  if (Math.abs(n) < 1000) return fixed(n, Number.isInteger(n) ? 0 : 1)
  if (Math.abs(n) < 1e6) return `${trim(n / 1e3)}k`
  return `${trim(n / 1e6)} M`
}

function trim(n: number): string {
  return Number(n.toFixed(n < 10 ? 1 : 0)).toString()
}

export function fixed(value: number | null | undefined, digits = 3): string {
  if (value === null || value === undefined) return NONE
  if (!Number.isFinite(value)) return Number.isNaN(value) ? 'NaN' : value > 0 ? '∞' : `${MINUS}∞`
  return value.toFixed(digits).replace('-', MINUS)
}

export function signed(value: number | null | undefined, digits = 3): string {
  if (value === null || value === undefined) return NONE
  return (value > 0 ? '+' : '') + fixed(value, digits)
}

export interface Unit {
  unit: string
  /** of a ratio: what it should be */
  ideal?: number | null
}

/** A metric in its table form: shares in per cent with one digit, pixels and ratios with two, everything else with three. */
export function metric(value: number | null | undefined, entry?: Unit): string {
  if (value === null || value === undefined) return NONE
  if (isShare(entry)) return fixed(value * 100, 1)
  return fixed(value, entry?.unit === 'px' || entry?.ideal != null ? 2 : 3)
}

/** As `metric`, with its unit: `0.606 m`, `81.5 %`. */
export function metricWithUnit(value: number | null | undefined, entry?: Unit): string {
  const text = metric(value, entry)
  if (text === NONE || !entry?.unit) return text
  return `${text} ${isShare(entry) ? '%' : entry.unit}`
}

export function isShare(entry?: Unit): boolean {
  return entry?.unit === '%'
}

/** As the figures name it: MAE and RMSE in capitals, the others by the papers' short label. */
export function metricName(entry: { name: string; label: string }): string {
  return { mae: 'MAE', rmse: 'RMSE' }[entry.name] ?? entry.label
}

/** `RMSE (m)`, `δ<1.25 (%)`, `rel` */
export function metricTitle(entry: { name: string; label: string } & Unit): string {
  return entry.unit ? `${metricName(entry)} (${entry.unit})` : metricName(entry)
}

/** The spread beside a value, without its leading zero: ± .005 */
export function spread(value: number | null | undefined, entry?: Unit): string {
  if (value === null || value === undefined) return ''
  return `± ${metric(value, entry).replace(/^0\./, '.')}`
}

/** 3 d 12 h, 2 h 14 min, 4 min 10 s, 8 s */
export function duration(seconds: number | null | undefined): string {
  if (seconds === null || seconds === undefined || !Number.isFinite(seconds)) return NONE
  const s = Math.max(0, Math.round(seconds))
  if (s < 60) return `${s} s`
  if (s < 3600) return join(Math.floor(s / 60), 'min', s < 600 ? s % 60 : 0, 's')
  if (s < 86400) return join(Math.floor(s / 3600), 'h', Math.round((s % 3600) / 60) % 60, 'min')
  return join(Math.floor(s / 86400), 'd', Math.floor((s % 86400) / 3600), 'h')
}

/** What training took: 1 361 h, 0.6 h, 12 min */
export function hours(value: number): string {
  if (value <= 0) return NONE
  if (value < 0.5) return duration(value * 3600)
  return value < 10 ? `${fixed(value, 1)} h` : `${count(value)} h`
}

function join(a: number, unitA: string, b: number, unitB: string): string {
  return b > 0 ? `${a} ${unitA} ${b} ${unitB}` : `${a} ${unitA}`
}

/** now, 3 min ago, 2 h ago, 4 d ago */
export function ago(iso: string, now: number): string {
  const seconds = (now - parseTime(iso)) / 1000
  if (seconds < 10) return 'now'
  if (seconds < 60) return `${Math.floor(seconds)} s ago`
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ago`
  if (seconds < 86400) return `${Math.floor(seconds / 3600)} h ago`
  return `${Math.floor(seconds / 86400)} d ago`
}

/** Milliseconds since the epoch; a time without a zone is UTC, as the API means it. */
export function parseTime(iso: string): number {
  return Date.parse(/(?:Z|[+-]\d\d:?\d\d)$/.test(iso) ? iso : `${iso}Z`)
}

export function dateTime(iso: string): string {
  return new Date(parseTime(iso)).toLocaleString('en-GB', { dateStyle: 'medium', timeStyle: 'short' })
}

export function percent(share: number, digits = 0): string {
  return `${fixed(share * 100, digits)} %`
}

/** 812 bytes, 3.4 MB, 1.2 GB */
export function bytes(n: number): string {
  if (n < 1000) return plural(n, 'byte')
  const [factor, unit] = n < 1e6 ? [1e3, 'kB'] : n < 1e9 ? [1e6, 'MB'] : ([1e9, 'GB'] as const)
  return `${fixed(n / (factor as number), 1)} ${unit}`
}

export function plural(n: number, one: string, many = `${one}s`): string {
  return `${count(n)} ${n === 1 ? one : many}`
}

/** A setting's value in words: none, on, off, 2e-4, or the value itself. */
export function settingValue(value: unknown): string {
  if (value === null || value === undefined) return 'none'
  if (typeof value === 'boolean') return value ? 'on' : 'off'
  if (typeof value === 'number') return Number.isInteger(value) ? count(value) : String(value)
  if (Array.isArray(value)) return value.map(settingValue).join('; ')
  if (typeof value === 'object') return objectValue(value as Record<string, unknown>)
  return String(value)
}

function objectValue(value: Record<string, unknown>): string {
  const { name, kind, ...rest } = value
  const parts = Object.entries(rest).map(([key, v]) => `${key} ${settingValue(v)}`)
  return [name ?? kind, ...parts].filter(Boolean).join(', ')
}
