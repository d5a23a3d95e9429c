import { useNavigate } from '@tanstack/react-router'

import type { Spec } from '../../api/types'
import { newRoute, type NewSearch } from '../../router'
import { useForm, type Draft } from './draft'
import { Line } from './Line'
import classes from './New.module.css'
import { ofPreset, useLast } from './start'

/** Shorter than the names that the experiments will have. */
const TITLES: Record<string, string> = { paper: "The paper's study", demo: 'The study in small' }
const HINTS: Record<string, string> = { last: 'What was launched last, to be changed.', empty: 'One loss, everything else by its default.' }

/** Ready experiments to begin with; choosing one throws the draft away. */
export function StartFrom({ draft }: { draft: Draft }) {
  const { catalogue } = useForm()
  const search = newRoute.useSearch()
  const navigate = useNavigate()
  const last = useLast(true)
  const presets = catalogue.presets.map((preset) => ({ value: preset.name, label: TITLES[preset.name] ?? preset.title }))
  const data = [...presets, ...(last ? [{ value: 'last', label: 'My last' }] : []), { value: 'empty', label: 'Empty' }]
  const value = search.preset ?? (search.from === undefined && search.run === undefined && search.loss === undefined && draft.saved === null ? catalogue.presets[0]?.name : undefined)
  const hint = value && (HINTS[value] ?? catalogue.presets.find((preset) => preset.name === value)?.description)
  const start = (name: string) => {
    draft.start(name === 'last' ? (last as Spec) : ofPreset(catalogue, name))
    void navigate({ to: '/experiments/new', search: { preset: name }, replace: true })
  }
  return (
    <Line label="Start from" hint={hint ?? begun(search, draft)}>
      <div className={classes.chips} role="radiogroup" aria-label="Start from">
        {data.map((item) => (
          <button key={item.value} type="button" role="radio" aria-checked={item.value === value} className={classes.toggle} onClick={() => start(item.value)}>
            {item.label}
          </button>
        ))}
      </div>
    </Line>
  )
}

function begun({ from, run, loss }: NewSearch, draft: Draft): string | undefined {
  if (run !== undefined) return `Begun from run ${run}: its cell as factors, all else held constant.`
  if (from !== undefined) return `Begun from experiment ${from}.`
  if (loss !== undefined) return 'A quick look with this loss; tick others to compare it with.'
  return draft.saved === null ? undefined : 'Your draft. Choosing one of these begins anew.'
}
