/** The filter box of the runs table: plain words, or clauses such as `loss in (l1, eigen) and size >= 12k and rmse < 0.65`. */

import type { RunSummary } from '../api/types'
import { canonical } from './spec'

export type Predicate = (run: RunSummary) => boolean

export type Filter = { match: Predicate; error: null } | { match: null; error: string }

type Value = string | number | null | undefined

const CLAUSE = /^([\w.]+|δ[1-3]?)\s*(<=|>=|!=|=|<|>|\bin\b)\s*(.+)$/

/** Raises nothing: a filter that cannot be read says why, and the table keeps showing all runs. */
export function parseFilter(text: string, metrics: readonly string[]): Filter {
  const trimmed = text.trim()
  if (trimmed === '') return { match: () => true, error: null }
  try {
    const clauses = trimmed.split(/\s+and\s+/i).map((clause) => parseClause(clause.trim(), metrics))
    return { match: (run) => clauses.every((clause) => clause(run)), error: null }
  } catch (error) {
    return { match: null, error: error instanceof Error ? error.message : String(error) }
  }
}

function parseClause(clause: string, metrics: readonly string[]): Predicate {
  const parts = CLAUSE.exec(clause)
  if (!parts) return words(clause)
  const [, name, operator, right] = parts
  const read = reader(name!, metrics)
  if (operator === 'in') return oneOf(read, right!)
  return compare(read, operator!, right!.trim())
}

function words(text: string): Predicate {
  const wanted = text.toLowerCase().split(/\s+/)
  return (run) => {
    const hay = [run.loss, run.loss_label, run.dataset, run.encoder, run.status, run.train_size, `seed ${run.seed}`, ...Object.values(run.levels ?? {})]
    const line = hay.join(' ').toLowerCase()
    return wanted.every((word) => line.includes(word))
  }
}

const FIELDS: Record<string, (run: RunSummary) => Value> = {
  id: (run) => run.id,
  loss: (run) => run.loss,
  size: (run) => run.train_size,
  encoder: (run) => run.encoder,
  dataset: (run) => run.dataset,
  seed: (run) => run.seed,
  state: (run) => run.status,
  status: (run) => run.status,
  epoch: (run) => run.epoch,
  step: (run) => run.step,
  attempt: (run) => run.attempt,
}

function reader(name: string, metrics: readonly string[]): (run: RunSummary) => Value {
  const field = FIELDS[name]
  if (field) return field
  if (metrics.includes(name)) return (run) => run.metrics?.[name]
  const path = canonical(name)
  if (name.includes('.') || path !== name) return (run) => run.levels?.[path] as Value
  throw new Error(`no column is called ${name}: try ${Object.keys(FIELDS).slice(1, 7).join(', ')} or a metric such as rmse`)
}

function oneOf(read: (run: RunSummary) => Value, list: string): Predicate {
  const tests = list
    .replace(/^\(|\)$/g, '')
    .split(',')
    .map((item) => compare(read, '=', item.trim()))
  return (run) => tests.some((test) => test(run))
}

function compare(read: (run: RunSummary) => Value, operator: string, right: string): Predicate {
  const number = toNumber(right)
  if (operator === '=' || operator === '!=') {
    const equal = (value: Value) => (typeof value === 'number' ? value === number : wildcard(right).test(String(value ?? '')))
    return (run) => equal(read(run)) === (operator === '=')
  }
  if (number === null) throw new Error(`${right} is not a number, which ${operator} needs`)
  const order: Record<string, (a: number) => boolean> = { '<': (a) => a < number, '<=': (a) => a <= number, '>': (a) => a > number, '>=': (a) => a >= number }
  return (run) => {
    const value = read(run)
    return typeof value === 'number' && order[operator]!(value)
  }
}

function toNumber(text: string): number | null {
  const value = Number(text.replace(/(\d)k$/i, '$1e3'))
  return text !== '' && Number.isFinite(value) ? value : null
}

function wildcard(text: string): RegExp {
  const escaped = text.replace(/^["']|["']$/g, '').replace(/[.+?^${}()|[\]\\]/g, '\\$&')
  return new RegExp(`^${escaped.replaceAll('*', '.*')}$`, 'i')
}
