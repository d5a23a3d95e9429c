import { createContext, useContext, useEffect, useState } from 'react'

import { ApiError } from '../../api/client'
import type { Catalogue, Fault, Spec } from '../../api/types'
import { changedLines } from '../../components/Yaml'
import { concerns } from '../../lib/dryrun'
import { fieldsOf, type Field, type JsonSchema } from '../../lib/schema'
import { canonical, fromYaml, toYaml } from '../../lib/spec'
import { dropDraft, keepDraft, keepLast } from './kept'
import type { Start } from './start'

/** The experiment being written: form and YAML are two views of `spec`; text that is no spec yet stays text. */
export interface Draft {
  spec: Spec
  text: string
  /** why the text is no spec, and where */
  fault: { error: string; line: number | null } | null
  /** lines that the last change touched */
  marked: ReadonlySet<number>
  change: (spec: Spec) => void
  type: (text: string) => void
  /** writes the text anew, as the form would */
  tidy: () => void
  /** throws away what was written and begins with this */
  start: (spec: Spec) => void
  /** when what was written was last kept in this browser */
  saved: number | null
  /** it is in the record now */
  launched: () => void
}

const NOTHING: ReadonlySet<number> = new Set()

const SAVE_MS = 600

/** `origin` names what `initial` is, so that the draft comes back where it was begun. */
export function useDraft({ spec: initial, saved: savedAt, origin }: Start): Draft {
  const [spec, setSpec] = useState(initial)
  const [base, setBase] = useState(initial)
  const [saved, setSaved] = useState(savedAt)
  const [text, setText] = useState(() => toYaml(initial))
  const [fault, setFault] = useState<Draft['fault']>(null)
  const [marked, setMarked] = useState(NOTHING)
  const change = (next: Spec) => {
    const written = toYaml(next)
    setMarked(changedLines(text, written))
    setSpec(next)
    setText(written)
    setFault(null)
  }
  const type = (next: string) => {
    setText(next)
    setMarked(NOTHING)
    const parsed = fromYaml(next)
    if (parsed.spec) setSpec(parsed.spec)
    setFault(parsed.spec ? null : parsed)
  }
  const tidy = () => {
    if (!fault) setText(toYaml(spec))
  }
  const start = (next: Spec) => {
    change(next)
    setMarked(NOTHING)
    setBase(next)
    setSaved(null)
    dropDraft()
  }
  const launched = () => {
    setBase(spec)
    dropDraft()
    keepLast(spec)
  }
  useEffect(() => {
    if (spec === base) return
    const timer = setTimeout(() => setSaved(keepDraft(spec, origin)), SAVE_MS)
    return () => clearTimeout(timer)
  }, [spec, base, origin])
  return { spec, text, fault, marked, change, type, tidy, start, saved, launched }
}

export interface Form {
  spec: Spec
  change: (spec: Spec) => void
  catalogue: Catalogue
  fields: Field[]
  /** the API's sentences about the setting at a path */
  faultAt: (path: string) => string | null
}

function faultWords({ message, remedy }: Fault): string {
  return remedy?.startsWith('Did you mean') ? `${message} ${remedy}` : message
}

const FormContext = createContext<Form | null>(null)
export const FormProvider = FormContext.Provider

export function useForm(): Form {
  const form = useContext(FormContext)
  if (!form) throw new Error('the form is used outside its page')
  return form
}

/** All that the API found wrong, the first thing first. */
export function faultsOf(error: unknown): Fault[] {
  return error instanceof ApiError ? [{ message: error.message, field: error.field, remedy: error.remedy }, ...error.others] : []
}

export function makeForm(draft: Draft, catalogue: Catalogue, error: unknown): Form {
  // What is wrong with the last readable text says nothing about one that cannot be read.
  const faults = draft.fault ? [] : faultsOf(error)
  return {
    spec: draft.spec,
    change: draft.change,
    catalogue,
    fields: fieldsOf(catalogue.run_config_schema as JsonSchema),
    faultAt: (path) => {
      const here = faults.filter((fault) => concerns(fault.field, path, canonical))
      return here.length > 0 ? here.map(faultWords).join(' ') : null
    },
  }
}
