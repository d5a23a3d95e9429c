import { useQuery } from '@tanstack/react-query'
import { createContext, useContext, useMemo, useState } from 'react'

import { ApiError } from '../../api/client'
import { catalogueQuery, experimentQuery, runQuery } from '../../api/queries'
import type { Catalogue, Spec } from '../../api/types'
import { changedLines } from '../../components/Yaml'
import { specOfRun } from '../../lib/clone'
import { concerns } from '../../lib/dryrun'
import { fieldsOf, type Field, type JsonSchema } from '../../lib/schema'
import { canonical, fromYaml, toYaml } from '../../lib/spec'

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
}

export const EMPTY: Spec = { name: 'New experiment', factors: { loss: ['l1'] } }

const NOTHING: ReadonlySet<number> = new Set()

export function useDraft(initial: Spec): Draft {
  const [spec, setSpec] = useState(initial)
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
  return { spec, text, fault, marked, change, type, tidy }
}

/** What the page begins with: a preset, another experiment, a run's configuration, or nothing. */
export function useInitial(search: { preset?: string; from?: number; run?: number }): { spec: Spec | null; error: unknown } {
  const catalogue = useQuery(catalogueQuery())
  const source = useQuery({ ...experimentQuery(search.from ?? 0), enabled: search.from !== undefined })
  const cloned = useQuery({ ...runQuery(search.run ?? 0), enabled: search.run !== undefined })
  return useMemo(() => {
    if (search.run !== undefined) return { spec: cloned.data ? specOfRun(cloned.data.config, `Run ${cloned.data.id}`) : null, error: cloned.error }
    if (search.from !== undefined) return { spec: source.data ? copyOf(source.data.spec) : null, error: source.error }
    const preset = catalogue.data && (catalogue.data.presets.find((p) => p.name === search.preset) ?? catalogue.data.presets[0])
    return { spec: catalogue.data ? ((preset?.spec as Spec) ?? EMPTY) : null, error: catalogue.error }
  }, [search.from, search.preset, search.run, cloned.data, cloned.error, source.data, source.error, catalogue.data, catalogue.error])
}

function copyOf(spec: Spec): Spec {
  return { ...spec, name: `${String(spec.name)}, again` }
}

export interface Form {
  spec: Spec
  change: (spec: Spec) => void
  catalogue: Catalogue
  fields: Field[]
  /** the API's sentence about the setting at a path, if its last word was about that */
  faultAt: (path: string) => string | null
}

const FormContext = createContext<Form | null>(null)
export const FormProvider = FormContext.Provider

export function useForm(): Form {
  const form = useContext(FormContext)
  if (!form) throw new Error('the form is used outside its page')
  return form
}

export function makeForm(draft: Draft, catalogue: Catalogue, error: unknown): Form {
  const fault = error instanceof ApiError ? error : null
  return {
    spec: draft.spec,
    change: draft.change,
    catalogue,
    fields: fieldsOf(catalogue.run_config_schema as JsonSchema),
    faultAt: (path) => (fault && concerns(fault.field, path, canonical) ? fault.message : null),
  }
}
