import { SegmentedControl, Select, Slider, Switch } from '@mantine/core'
import { useHotkeys } from '@mantine/hooks'
import { useQuery } from '@tanstack/react-query'
import { useMemo } from 'react'

import { catalogueQuery, experimentRunsQuery } from '../../api/queries'
import type { ExperimentDetail, Qualitative, RunSummary } from '../../api/types'
import { ColourBar } from '../../components/depth/ColourBar'
import { Control } from '../../components/FigureControls'
import { count, fixed, metricName } from '../../lib/format'
import { isLocked, spanOf } from '../../lib/look'
import { columnsOf, sideText, sortText, tileMetrics, type Order } from '../../lib/qualitative'
import classes from './Qualitative.module.css'
import { useExperimentSearch } from './useExperimentSearch'
import { useLook, usePair, useSort } from './useQualitative'
import { BLINK } from './useQualitativeKeys'

interface Props {
  experiment: ExperimentDetail
  data: Qualitative | undefined
}

const VIEWS = [
  { value: 'depth', label: 'Depth' },
  { value: 'error', label: 'Signed error' },
  { value: 'relative', label: 'Relative error' },
]

/** What is shown, of which runs, at which step: for all tiles at once. */
export function QualitativeControls({ experiment, data }: Props) {
  const [search, change] = useExperimentSearch()
  const look = useLook(data)
  const flip = (name: string) => (event: { currentTarget: { checked: boolean } }) => change({ [name]: event.currentTarget.checked ? 'yes' : undefined })
  return (
    <div className={classes.controls}>
      <div className={classes.line}>
        <SegmentedControl aria-label="What the tiles show" data={VIEWS} value={look.view} onChange={(view) => change({ view: view === 'depth' ? undefined : view, limit: undefined })} />
        <RunChoice experiment={experiment} shown={data?.runs[0]} />
        {data && data.steps.length > 1 && <StepSlider data={data} />}
        {data && data.frames.length > 1 && <SortChoice data={data} />}
      </div>
      <div className={classes.line}>
        <Switch label="Edges" title="Edges of the ground truth on every tile" checked={search.edges === 'yes'} onChange={flip('edges')} />
        <Switch label="Mask invalid" title="Hatch predictions where there is no ground truth, as errors are" checked={look.mask} onChange={flip('mask')} />
        <Switch label="Median-scaled" title="Prediction × median of the ground truth / median of the prediction, image by image" checked={look.scaled} onChange={flip('scaled')} />
        {data && data.columns.length > 0 && <PairChoice data={data} />}
        <span className={classes.bar}>
          <ColourBar view={look.view} map={look.map} range={look.range} span={spanOf(search.percentile)} locked={isLocked(search)} limit={look.limit} onChange={(range) => change({ ...range }, true)} />
        </span>
      </div>
    </div>
  )
}

/** The two that are compared; the ground truth can be one of them. */
function PairChoice({ data }: { data: Qualitative }) {
  const [search, change] = useExperimentSearch()
  const pair = usePair(data)
  const columns = columnsOf(data)
  const options = [{ value: 'truth', label: 'Ground truth' }, ...columns.map((column) => ({ value: String(column.run_id), label: column.label }))]
  const choose = (side: 'a' | 'b') => (value: string | null) => change({ [side]: value === 'truth' ? value : Number(value) })
  const open = (mode: string) => {
    if (mode === 'blink' && search.mode === mode && search.row !== undefined) window.dispatchEvent(new Event(BLINK))
    else change({ row: search.row ?? data.frames[0]?.id, mode }, true)
  }
  return (
    <span className={classes.pair}>
      {(['a', 'b'] as const).map((side) => (
        <Select
          key={side}
          aria-label={`Compared: ${side.toUpperCase()}`}
          title={`Or point at a tile and press ${side}`}
          leftSection={<b className={classes.letter}>{side.toUpperCase()}</b>}
          data={options}
          value={String(sideText(pair[side], columns))}
          allowDeselect={false}
          searchable={options.length > 12}
          w="clamp(116px, 10vw, 168px)"
          onChange={choose(side)}
        />
      ))}
      <button type="button" className="link" onClick={() => open('swipe')}>
        swipe <kbd>s</kbd>
      </button>
      <button type="button" className="link" onClick={() => open('blink')}>
        blink <kbd>Space</kbd>
      </button>
    </span>
  )
}

/** Rows by a metric's mean over the columns, or by the difference of the two compared. */
function SortChoice({ data }: { data: Qualitative }) {
  const [, change] = useExperimentSearch()
  const sort = useSort()
  const pair = usePair(data)
  const columns = columnsOf(data)
  const known = useQuery(catalogueQuery()).data?.metrics ?? []
  const metrics = tileMetrics(data.predictions, known)
  const [a, b] = [columns[pair.a]?.label, columns[pair.b]?.label]
  const of = (order: Order, words: (name: string) => string) => metrics.map((m) => ({ value: `${m.name}:${order}`, label: words(metricName(m)) }))
  const groups = [
    { group: 'Order', items: [{ value: 'position', label: 'Order of the dataset' }] },
    ...(a && b ? [{ group: `${a} − ${b}, largest first`, items: of('difference', (name) => `${name} difference, ${a} − ${b}`) }] : []),
    { group: 'Worst image first', items: of('worst', (name) => `${name}, worst first`) },
    { group: 'Best image first', items: of('best', (name) => `${name}, best first`) },
  ]
  return (
    <span className={classes.sort}>
      <span className={`secondary ${classes.sortWords}`}>Sort by</span>
      <Select aria-label="Sort the images by" data={groups} value={sortText(sort) ?? 'position'} allowDeselect={false} searchable w="clamp(170px, 13.5vw, 230px)" onChange={(value) => change({ sort: value === 'position' ? undefined : (value ?? undefined) })} />
    </span>
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
  if (!shown?.dataset) return null
  return (
    <>
      {levels.dataset.length > 1 && (
        <Control option="dataset" values={levels.dataset} value={dataOf(shown)} onChoose={(v) => change({ dataset: v, train_size: undefined, encoder: undefined, seed: undefined, step: undefined })} />
      )}
      {levels.train_size.length > 1 && <Control option="train_size" values={levels.train_size} value={String(shown.train_size)} onChoose={(v) => change({ train_size: Number(v), step: undefined, a: undefined, b: undefined })} />}
      {levels.encoder.length > 1 && <Control option="encoder" values={levels.encoder} value={shown.encoder} onChoose={(v) => change({ encoder: v, step: undefined, a: undefined, b: undefined })} />}
      {levels.seed.length > 1 && <Control option="seed" values={levels.seed} value={String(shown.seed)} onChoose={(v) => change({ seed: Number(v), a: undefined, b: undefined })} />}
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
  const shown = steps[index] ?? 0
  const epoch = data.predictions.find((prediction) => prediction.step === shown)?.epoch
  return (
    <div className={classes.slider}>
      <span className="secondary" title="Of all tiles; ← and → change it">
        Epoch
      </span>
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
      <span className={`${classes.step} num`} title={`step ${count(shown)}`}>
        {epoch ? fixed(epoch, 1) : `step ${count(shown)}`}, {index + 1} of {steps.length}
      </span>
    </div>
  )
}
