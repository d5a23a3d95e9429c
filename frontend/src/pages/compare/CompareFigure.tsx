import { SegmentedControl, Select, Skeleton, Switch } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { useNavigate, useRouter } from '@tanstack/react-router'
import { useEffect, useState, type MouseEvent } from 'react'

import { compareFigureQuery, type FigureOptions } from '../../api/queries'
import type { Comparison, FigureEntry } from '../../api/types'
import { Chart } from '../../components/Chart'
import { ErrorPanel } from '../../components/ErrorPanel'
import { ExportMenu } from '../../components/ExportMenu'
import { valueTitle } from '../../components/FigureControls'
import { toast } from '../../components/toast'
import { useLosses } from '../../components/useLosses'
import { useScheme } from '../../components/useScheme'
import { imageOf, linkedImages } from '../../lib/compare'
import { ofComparison } from '../../lib/export'
import { caption, choices, heightOf, type PlotlyFigure } from '../../lib/figure'
import { observed } from '../../lib/observed'
import { compareRoute } from '../../router'
import classes from './Compare.module.css'

interface Props {
  entry: FigureEntry
  comparison: Comparison
  runs: string
  lifted: number | null
}

/** A figure of the comparison, drawn by the server, with its options as controls. */
export function CompareFigure({ entry, comparison, runs, lifted }: Props) {
  const search = compareRoute.useSearch()
  const scheme = useScheme()
  const options = chosenOptions(entry, search)
  const query = useQuery(compareFigureQuery(runs, entry.name, scheme, options))
  const figure = query.data
  if (query.error && !figure) return <ErrorPanel error={query.error} onRetry={() => void query.refetch()} />
  return (
    <>
      <div className={classes.controls}>
        {Object.entries(entry.options).map(([option, values]) => (
          <Choice key={option} option={option} values={values} figure={figure} comparison={comparison} />
        ))}
        <span className={classes.export}>
          <ExportMenu source={ofComparison(runs, entry.name)} options={options} />
        </span>
      </div>
      {query.error && <ErrorPanel error={query.error} onRetry={() => void query.refetch()} what="The figure could not be brought up to date." />}
      {figure ? <Drawn figure={figure} title={entry.title} lifted={lifted} paired={entry.name === 'paired'} /> : <Skeleton height={440} animate={false} />}
    </>
  )
}

/** The options of this figure that the address sets; what other figures alone take is left out. */
function chosenOptions(entry: FigureEntry, search: Record<string, unknown>): FigureOptions {
  const known = Object.entries(entry.options).filter(([option, values]) => search[option] !== undefined && values.includes(String(search[option])))
  return Object.fromEntries(known.map(([option]) => [option, String(search[option])]))
}

function Drawn({ figure, title, lifted, paired }: { figure: PlotlyFigure; title: string; lifted: number | null; paired: boolean }) {
  const router = useRouter()
  const [strong] = useState(() => observed<string | null>(null))
  useEffect(() => strong.set(lifted === null ? null : String(lifted)), [strong, lifted])
  // Plotly keeps what the pointer is on with the element it drew into.
  const open = (event: MouseEvent<HTMLDivElement>) => {
    const plot = event.currentTarget.querySelector('.js-plotly-plot') as (Element & { _hoverdata?: { customdata?: unknown }[] }) | null
    const image = imageOf(plot?._hoverdata?.[0]?.customdata)
    if (!image) return
    if (image.link) router.history.push(image.link)
    else toast(`No depth map is kept of ${image.name}: only sample images have them.`)
  }
  const words = caption(figure)
  return (
    <figure className={classes.figure}>
      <div onClick={paired ? open : undefined} className={paired ? classes.pickable : undefined}>
        <Chart figure={figure} height={heightOf(figure)} label={title} lifted={strong} />
      </div>
      {words && <figcaption className={classes.caption}>{words}</figcaption>}
      {paired && <Linked figure={figure} />}
    </figure>
  )
}

/** The same jumps for those who do not point. */
function Linked({ figure }: { figure: PlotlyFigure }) {
  const router = useRouter()
  const images = linkedImages(figure)
  if (images.length === 0) return null
  return (
    <p className={classes.linked}>
      <span className="secondary">Depth maps of</span>
      {images.map((image) => (
        <button key={image.position} type="button" className="link" onClick={() => router.history.push(image.link)}>
          {image.name}
        </button>
      ))}
    </p>
  )
}

const TITLES: Record<string, string> = { metric: 'Metric', horizontal: 'Against', x: 'X', y_log: 'Log y', value: 'Value', averaging: 'Average', marginal: 'Edges', a: 'A run', b: 'Against' }
const WORDS: Record<string, string> = { box: 'Boxes', histogram: 'Histograms' }

function Choice({ option, values, figure, comparison }: { option: string; values: string[]; figure?: PlotlyFigure; comparison: Comparison }) {
  const losses = useLosses()
  const navigate = useNavigate()
  const search = compareRoute.useSearch()
  const title = TITLES[option] ?? option
  const value = String(search[option] ?? choices(figure)[option]?.shown ?? values[0])
  const set = (next: string) => void navigate({ to: '/compare', search: (previous) => ({ ...previous, [option]: /^\d+$/.test(next) ? Number(next) : next }), resetScroll: false })
  const label = (one: string) => {
    const run = option === 'a' || option === 'b' ? comparison.runs.find(({ run }) => String(run.id) === one) : undefined
    return run ? `${run.letter}  ${run.label}` : (WORDS[one] ?? valueTitle(option === 'horizontal' ? 'metric' : option, one, losses))
  }
  if (values.length < 2) return null
  if (values.includes('yes')) return <Switch label={title} checked={value === 'yes'} onChange={(event) => set(event.currentTarget.checked ? 'yes' : 'no')} />
  const data = values.map((one) => ({ value: one, label: label(one) }))
  return (
    <span className={classes.control}>
      <span className="secondary" aria-hidden>
        {title}
      </span>
      {values.length <= 4 && !['metric', 'horizontal', 'a', 'b', 'value'].includes(option) ? (
        <SegmentedControl aria-label={title} data={data} value={value} onChange={set} />
      ) : (
        <Select aria-label={title} data={data} value={value} onChange={(next) => next && set(next)} searchable={values.length > 12} limit={200} w={Math.min(240, 60 + 7 * Math.max(...data.map((one) => one.label.length)))} />
      )}
    </span>
  )
}
