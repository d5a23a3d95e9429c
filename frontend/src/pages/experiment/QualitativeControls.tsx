import { SegmentedControl, Select, Slider } from '@mantine/core'
import { useHotkeys } from '@mantine/hooks'
import { useQuery } from '@tanstack/react-query'
import { useMemo } from 'react'

import { experimentRunsQuery } from '../../api/queries'
import type { ExperimentDetail, Qualitative, RunSummary } from '../../api/types'
import { ColourBar } from '../../components/depth/ColourBar'
import { Control } from '../../components/FigureControls'
import { count, fixed } from '../../lib/format'
import classes from './Qualitative.module.css'
import { colouringOf } from './QualitativeTab'
import { useExperimentSearch } from './useExperimentSearch'

interface Props {
  experiment: ExperimentDetail
  data: Qualitative | undefined
}

const VIEWS = [
  { value: 'depth', label: 'Depth' },
  { value: 'error', label: 'Signed error' },
  { value: 'relative', label: 'Relative error' },
]

const ORDERS = [
  { value: 'position', label: 'Order of the dataset' },
  { value: 'worst', label: 'Largest error first' },
  { value: 'best', label: 'Smallest error first' },
  { value: 'difference', label: 'Largest difference' },
]

/** What is shown, of which runs, at which step: for all tiles at once. */
export function QualitativeControls({ experiment, data }: Props) {
  const [search, change] = useExperimentSearch()
  const colouring = colouringOf(search, data)
  return (
    <div className={classes.controls}>
      <SegmentedControl
        aria-label="What the tiles show"
        data={VIEWS}
        value={colouring.view}
        onChange={(view) => change({ view: view === 'depth' ? undefined : view, limit: undefined })}
      />
      <RunChoice experiment={experiment} shown={data?.runs[0]} />
      {data && data.steps.length > 1 && <StepSlider data={data} />}
      <Select aria-label="Order of the rows" data={ORDERS} value={search.sort ?? 'position'} w={180} onChange={(sort) => change({ sort: sort === 'position' ? undefined : (sort ?? undefined) })} />
      <span className={classes.bar}>
        <ColourBar view={colouring.view} map={colouring.map} range={colouring.range} limit={colouring.limit} onRange={(range) => change(range, true)} />
      </span>
    </div>
  )
}

const dataOf = (run: RunSummary) => `${run.dataset}/${run.data_split}`

/** Data, size, encoder and seed; what is chosen is read from the runs that the API has chosen. */
function RunChoice({ experiment, shown }: { experiment: ExperimentDetail; shown?: RunSummary }) {
  const [, change] = useExperimentSearch()
  const runs = useQuery(experimentRunsQuery(experiment.id)).data
  const levels = useMemo(() => {
    const comparable = runs?.filter((run) => run.evaluation === shown?.evaluation)
    const here = comparable?.filter((run) => shown && dataOf(run) === dataOf(shown))
    const of = (key: 'train_size' | 'encoder' | 'seed') => [...new Set(here?.map((run) => run[key]))].toSorted((a, b) => (typeof a === 'number' ? a - Number(b) : String(a).localeCompare(String(b)))).map(String)
    return { dataset: [...new Set(comparable?.map(dataOf))], train_size: of('train_size'), encoder: of('encoder'), seed: of('seed') }
  }, [runs, shown])
  if (!shown) return null
  return (
    <>
      {levels.dataset.length > 1 && (
        <Control option="dataset" values={levels.dataset} value={dataOf(shown)} onChoose={(v) => change({ dataset: v, train_size: undefined, encoder: undefined, seed: undefined, step: undefined })} />
      )}
      {levels.train_size.length > 1 && <Control option="train_size" values={levels.train_size} value={String(shown.train_size)} onChoose={(v) => change({ train_size: Number(v), step: undefined })} />}
      {levels.encoder.length > 1 && <Control option="encoder" values={levels.encoder} value={shown.encoder} onChoose={(v) => change({ encoder: v, step: undefined })} />}
      {levels.seed.length > 1 && <Control option="seed" values={levels.seed} value={String(shown.seed)} onChoose={(v) => change({ seed: Number(v) })} />}
    </>
  )
}

function StepSlider({ data }: { data: Qualitative }) {
  const [search, change] = useExperimentSearch()
  const { steps } = data
  const last = steps.length - 1
  const index = Math.max(0, search.step === undefined ? last : steps.findLastIndex((step) => step <= search.step!))
  const go = (to: number) => change({ step: to >= last ? undefined : steps[Math.max(0, to)] }, true)
  // A slider that has the focus moves by itself.
  const step = (by: number) => (event: KeyboardEvent) => (event.target as HTMLElement).closest('[role=slider]') ?? go(index + by)
  useHotkeys([
    ['ArrowLeft', step(-1)],
    ['ArrowRight', step(1)],
  ])
  const epoch = data.predictions.find((prediction) => prediction.step === steps[index])?.epoch
  return (
    <div className={classes.slider}>
      <span className="secondary">Evaluation, all tiles</span>
      <Slider
        className={classes.track}
        aria-label="Evaluation step"
        thumbLabel={`Evaluation ${index + 1} of ${steps.length}`}
        label={null}
        min={0}
        max={last}
        step={1}
        value={index}
        marks={steps.map((_, value) => ({ value }))}
        onChange={go}
      />
      <span className={`${classes.step} num`}>
        step {count(steps[index] ?? 0)}
        {epoch !== undefined && `, epoch ${fixed(epoch, 1)}`}
      </span>
    </div>
  )
}
