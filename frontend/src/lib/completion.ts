/** What a filter of runs may go on with: names, operators, values, as whole texts to put in its place. */

import type { RunNames } from '../api/types'

const MOST = 8
const NAME = /(?:^|[\s(,])([^\s()<>=!~,"']*)$/
const AFTER_NAME = /(?:^|[\s(])([^\s()<>=!~,"']+)\s+$/
const AFTER_STATE = /\b(?:status|state)\s*(?:=|!=|(?:not\s+)?in\s*\((?:[^),]*,)*)\s*([a-z]*)$/i
const AFTER_OPERATOR = /(?:<=|>=|!=|!~|[=<>~])\s*[^\s()]*$/
const STATES = ['queued', 'running', 'finished', 'failed', 'cancelled']
const WORDS = ['and', 'or', 'not', 'in', 'has']
const OPERATORS: Record<string, string[]> = { text: ['=', '!=', '~', 'in ('], number: ['<', '<=', '>', '>=', '='], fact: ['=', '<', '>', '~', 'in ('] }

/** Whole texts, the likeliest first; none where only the person knows what comes. */
export function completions(text: string, names: RunNames): string[] {
  const state = AFTER_STATE.exec(text)
  if (state) return ending(text, state[1]!, STATES)
  if (AFTER_OPERATOR.test(text)) return []
  const known = namesOf(names)
  const before = AFTER_NAME.exec(text)?.[1]
  if (before !== undefined && known.includes(before)) return operatorsFor(before, names).map((operator) => text + operator + (operator.endsWith('(') ? '' : ' '))
  const begun = NAME.exec(text)?.[1] ?? ''
  if (begun === '' && text !== '' && !/(?:^|\s)(?:and|or|not)\s$|\($/i.test(text)) return []
  return begun === '' && text === '' ? [] : ending(text, begun, known)
}

/** What the last of `text` is being typed to: the part after `begun`. */
function ending(text: string, begun: string, choices: readonly string[]): string[] {
  const wanted = begun.toLowerCase()
  const first = choices.filter((choice) => choice.toLowerCase().startsWith(wanted))
  const inside = choices.filter((choice) => !choice.toLowerCase().startsWith(wanted) && wanted.length > 1 && choice.toLowerCase().includes(wanted))
  const kept = text.slice(0, text.length - begun.length)
  return [...first, ...inside].filter((choice) => choice !== begun).slice(0, MOST).map((choice) => kept + quotedName(choice))
}

export function namesOf(names: RunNames): string[] {
  return [...new Set([...names.columns.map((column) => column.name), ...names.params, ...names.metrics])]
}

function operatorsFor(name: string, names: RunNames): string[] {
  const kind = names.columns.find((column) => column.name === name)?.kind
  if (kind === undefined) return OPERATORS.fact!
  return kind === 'text' ? OPERATORS.text! : kind === 'flag' ? ['= true', '= false'] : OPERATORS.number!
}

/** A name with a space or a sign in it stands in quotes; so does a word of the language itself. */
export function quotedName(name: string): string {
  return /[\s()<>=!~,"']/.test(name) || WORDS.includes(name.toLowerCase()) ? `"${name.replace(/["\\]/g, '\\$&')}"` : name
}
