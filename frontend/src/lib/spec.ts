/** What a person submits, edited by the form and by the YAML beside it: plain JSON, changed by functions that return a new one. */

import { Document, isMap, isScalar, parseDocument, visit } from 'yaml'

import type { Spec } from '../api/types'

/** Short names that people may write for a factor, as depthboard.experiment reads them. */
export const ALIASES: Record<string, string> = {
  size: 'data.train_size',
  train_size: 'data.train_size',
  dataset: 'data.dataset',
  encoder: 'network.encoder',
  lr: 'optimiser.lr',
}

const SHORT: Record<string, string> = { 'data.train_size': 'size', 'data.dataset': 'dataset', 'network.encoder': 'encoder' }

export type Factors = Record<string, unknown[]>
export type LossLevel = { name: string } & Record<string, unknown>

export function canonical(path: string): string {
  return ALIASES[path] ?? path
}

export function shortName(path: string): string {
  return SHORT[path] ?? path
}

export function factorsOf(spec: Spec): Factors {
  return isRecord(spec.factors) ? (spec.factors as Factors) : {}
}

/** The levels of a factor under any of its names. */
export function readFactor(spec: Spec, path: string): unknown[] | undefined {
  const entry = Object.entries(factorsOf(spec)).find(([key]) => canonical(key) === canonical(path))
  return Array.isArray(entry?.[1]) ? entry[1] : undefined
}

/** The spec with a factor set in its place, or taken out for `undefined` and no levels. */
export function writeFactor(spec: Spec, path: string, levels: unknown[] | undefined): Spec {
  const entries = Object.entries(factorsOf(spec))
  const at = entries.findIndex(([key]) => canonical(key) === canonical(path))
  if (!levels || levels.length === 0) {
    if (at >= 0) entries.splice(at, 1)
  } else if (at >= 0) {
    entries[at] = [entries[at]![0], levels]
  } else {
    entries.push([shortName(canonical(path)), levels])
  }
  return { ...spec, factors: Object.fromEntries(entries) }
}

/** A setting that all runs share, undefined where the default holds. */
export function readBase(spec: Spec, path: string): unknown {
  return canonical(path)
    .split('.')
    .reduce<unknown>((value, key) => (isRecord(value) ? value[key] : undefined), spec.base)
}

/** The spec with a shared setting; `undefined` returns it to its default and drops groups left empty. */
export function writeBase(spec: Spec, path: string, value: unknown): Spec {
  return { ...spec, base: assign(isRecord(spec.base) ? spec.base : {}, canonical(path).split('.'), value) }
}

function assign(tree: Record<string, unknown>, [key, ...rest]: string[], value: unknown): Record<string, unknown> {
  const next = { ...tree }
  const child = rest.length === 0 ? value : assign(isRecord(tree[key!]) ? (tree[key!] as Record<string, unknown>) : {}, rest, value)
  if (child === undefined || (rest.length > 0 && isRecord(child) && Object.keys(child).length === 0)) delete next[key!]
  else next[key!] = child
  return next
}

/** A level of `loss` as a mapping: `huber` and `{name: huber}` are the same. */
export function lossLevel(level: unknown): LossLevel {
  return isRecord(level) ? (level as LossLevel) : { name: String(level) }
}

/** The losses that are compared: the factor's levels, else the one that all runs share, else the default. */
export function lossLevels(spec: Spec): LossLevel[] {
  const levels = readFactor(spec, 'loss') ?? [readBase(spec, 'loss') ?? 'l1']
  return levels.map(lossLevel)
}

/** The spec with these losses, a loss without parameters by its bare name. */
export function writeLosses(spec: Spec, levels: LossLevel[]): Spec {
  const short = levels.map((level) => (Object.keys(level).length === 1 ? level.name : level))
  return writeFactor(writeBase(spec, 'loss', undefined), 'loss', short)
}

/** Runs of all grids together; equal configurations in two grids are counted twice, which only the dry run can know. */
export function gridSize(spec: Spec): number {
  const grids = [factorsOf(spec), ...alsoGrids(spec).map((grid) => grid.factors)]
  return grids.reduce((sum, factors) => sum + Object.values(factors).reduce((n, levels) => n * levels.length, 1), 0)
}

export function alsoGrids(spec: Spec): { factors: Factors }[] {
  return Array.isArray(spec.also) ? spec.also.filter(isRecord).map((grid) => ({ factors: factorsOf(grid) })) : []
}

const KEYS = ['name', 'description', 'tags', 'base', 'factors', 'also']

/** YAML in the order people read it, levels in brackets, empty parts left out. */
export function toYaml(spec: Spec): string {
  const keys = [...KEYS, ...Object.keys(spec).filter((key) => !KEYS.includes(key))]
  const document = new Document(Object.fromEntries(keys.filter((key) => !isEmpty(spec[key])).map((key) => [key, spec[key]])))
  visit(document, { Seq: (_, list) => void (list.flow = list.items.every(isPlain)) })
  return filled(document.toString({ flowCollectionPadding: false, lineWidth: WIDTH }))
}

const WIDTH = 34

/** A list that was broken into a line an item, with as many items on a line as fit. */
function filled(yaml: string): string {
  return yaml.replace(/^( *\S+:)\n +\[\n((?: +.*\n)+?) +\]$/gm, (whole, key: string, body: string) => {
    const items = body.trim().split(/,\n */)
    if (items.some((item) => item.includes('\n'))) return whole
    const indent = ' '.repeat(key.length + 2)
    const lines = [`${key} [`]
    items.forEach((item, i) => {
      const text = item + (i < items.length - 1 ? ',' : ']')
      const line = lines.at(-1)!
      const first = line.endsWith('[') || line === indent
      if (!first && line.length + 1 + text.length > WIDTH) lines.push(indent + text)
      else lines[lines.length - 1] = line + (first ? '' : ' ') + text
    })
    return lines.join('\n')
  })
}

/** A scalar, or a mapping of scalars such as {name: huber, threshold: 0.2}. */
function isPlain(node: unknown): boolean {
  return isScalar(node) || (isMap(node) && node.items.every((pair) => isScalar(pair.value)))
}

export type Parsed = { spec: Spec; error: null } | { spec: null; error: string; line: number | null }

/** A spec from YAML, or why it is none and where. Numbers such as 1e-4 are numbers here, as the API reads them. */
export function fromYaml(text: string): Parsed {
  const document = parseDocument(text, { version: '1.2' })
  const fault = document.errors[0]
  if (fault) return { spec: null, error: fault.message.split('\n')[0]!.replace(/ at line.*$/, ''), line: fault.linePos?.[0].line ?? null }
  const value: unknown = document.toJS()
  if (!isRecord(value)) return { spec: null, error: 'An experiment is a mapping: name, base, factors.', line: 1 }
  return { spec: value, error: null }
}

function isEmpty(value: unknown): boolean {
  if (value === undefined || value === null || value === '') return true
  return Array.isArray(value) ? value.length === 0 : isRecord(value) && Object.keys(value).length === 0
}

/** Whether an experiment was submitted as a grid; what people's own scripts made has nothing to start from. */
export function isGrid(spec: Spec): boolean {
  return 'factors' in spec
}

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** The levels a setting takes: a factor's, else the one that all runs share; undefined where the default holds. */
export function levelsOf(spec: Spec, path: string): unknown[] | undefined {
  const shared = readBase(spec, path)
  return readFactor(spec, path) ?? (shared === undefined ? undefined : [shared])
}

/** The spec with a setting as a factor, and only there. */
export function setLevels(spec: Spec, path: string, levels: unknown[]): Spec {
  return writeFactor(writeBase(spec, path, undefined), path, levels)
}
