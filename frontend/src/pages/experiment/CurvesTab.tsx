import { useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { useCallback, useDeferredValue, useMemo, useRef, useState } from 'react'

import { experimentRunsQuery, type FigureOptions } from '../../api/queries'
import type { RunSummary } from '../../api/types'
import { FigureControls } from '../../components/FigureControls'
import { FigurePanel } from '../../components/FigurePanel'
import { SmoothingSlider } from '../../components/SmoothingSlider'
import { StateGlyph } from '../../components/StateGlyph'
import { TraceGlyph } from '../../components/TraceGlyph'
import { useNewObserved, useObserved } from '../../components/useObserved'
import { runLines, type PlotlyFigure, type RunLine } from '../../lib/figure'
import { count } from '../../lib/format'
import { cellState } from '../../lib/grid'
import type { Observed } from '../../lib/observed'
import { onlyScripts, stepWords } from '../../lib/script'
import { hiddenOf, isolated, toggled, withoutHidden } from '../../lib/shown'
import { parseWeight, smoothed } from '../../lib/smoothing'
import classes from './Curves.module.css'
import type { TabProps } from './ExperimentPage'
import { FigureTab } from './FigureTab'
import { useChartZoom } from './useChartZoom'
import { useExperimentSearch } from './useExperimentSearch'

/** What the runs logged under one key, a line a run; the list under it is the legend. Of people's own scripts it is the overview too. */
export default function CurvesTab({ experiment }: TabProps) {
  const [search, change] = useExperimentSearch()
  const [dragged, setDragged] = useState<{ from: unknown; weight: number } | null>(null)
  const moving = dragged && dragged.from === search.smoothing ? dragged.weight : parseWeight(search.smoothing)
  const weight = useDeferredValue(moving)
  const runs = useQuery(experimentRunsQuery(experiment.id, {})).data
  return (
    <FigureTab
      experiment={experiment}
      name="curves"
      controls={(given) => (
        <>
          <FigureControls {...given} />
          <SmoothingSlider weight={parseWeight(search.smoothing)} onMove={(next) => setDragged({ from: search.smoothing, weight: next })} onChoose={(next) => change({ smoothing: next || undefined })} />
        </>
      )}
    >
      {(options) => (
        <>
          <Lines experimentId={experiment.id} options={options} weight={weight} runs={runs ?? []} />
          {runs && onlyScripts(runs) && <p className={classes.note}>These runs are of people’s own scripts: the other figures compare evaluations, which they do not have.</p>}
        </>
      )}
    </FigureTab>
  )
}

interface LinesProps {
  experimentId: number
  options: FigureOptions
  weight: number
  runs: readonly RunSummary[]
}

const groupsOf = (figure: PlotlyFigure) => runLines(figure).map((line) => line.group)

function Lines({ experimentId, options, weight, runs }: LinesProps) {
  const [search, change] = useExperimentSearch()
  const lifted = useNewObserved<string | null>(null)
  const { hidden, only } = search
  const transform = useCallback((figure: PlotlyFigure) => smoothed(withoutHidden(figure, hiddenOf(groupsOf(figure), { hidden, only })), weight), [hidden, only, weight])
  const [zoom, onZoom] = useChartZoom()
  const close = zoom.x ? stretch(zoom.x, search.x_log === 'yes') : {}
  return (
    <FigurePanel
      experimentId={experimentId}
      name="curves"
      title="Curves"
      options={{ ...options, ...close }}
      transform={transform}
      legend={false}
      lifted={lifted}
      zoom={zoom}
      onZoom={onZoom}
      onReset={() => change({ zoom: undefined })}
      renderBelow={(figure) => <Legend lines={runLines(figure)} runs={runs} experimentId={experimentId} lifted={lifted} />}
    />
  )
}

/** What is looked at closely comes with more points of it. */
function stretch([low, high]: readonly [number, number], log: boolean): FigureOptions {
  const value = (v: number) => String(Number((log ? 10 ** v : v).toPrecision(6)))
  return { x_from: value(low), x_to: value(high) }
}

interface LegendProps {
  lines: RunLine[]
  runs: readonly RunSummary[]
  experimentId: number
  lifted: Observed<string | null>
}

function Legend({ lines, runs, experimentId, lifted }: LegendProps) {
  const known = useMemo(() => new Map(runs.map((run) => [run.id, run])), [runs])
  const stands = useObserved(lifted)
  return (
    <ul className={classes.legend} aria-label="Runs drawn">
      {lines.map((line) => (
        <li
          key={line.run}
          data-lifted={line.group === stands || undefined}
          onPointerEnter={() => lifted.set(line.group)}
          onPointerLeave={() => lifted.set(null)}
          onFocus={() => lifted.set(line.group)}
          onBlur={() => lifted.set(null)}
        >
          <HideButton line={line} lines={lines} />
          <Link to="/runs/$runId" params={{ runId: String(line.run) }} search={{ from: experimentId }} className={classes.name}>
            {line.name}
          </Link>
          <Standing run={known.get(line.run)} />
        </li>
      ))}
    </ul>
  )
}

/** A click hides the run's line, a double click shows it alone. */
function HideButton({ line, lines }: { line: RunLine; lines: RunLine[] }) {
  const [search, change] = useExperimentSearch()
  const names = lines.map((one) => one.group)
  const hidden = hiddenOf(names, search)
  const before = useRef(hidden)
  return (
    <button
      type="button"
      className={classes.glyph}
      data-hidden={hidden.has(line.group) || undefined}
      aria-pressed={!hidden.has(line.group)}
      aria-label={`Show ${line.name}`}
      title="Click hides or shows, double click shows it alone"
      onClick={(event) => {
        if (event.detail === 2) return change({ ...isolated(names, before.current, line.group) }, true)
        before.current = hidden
        change({ ...toggled(names, hidden, line.group) })
      }}
    >
      <TraceGlyph {...line} />
    </button>
  )
}

function Standing({ run }: { run: RunSummary | undefined }) {
  if (!run) return null
  return (
    <span className={`secondary num ${classes.standing}`}>
      <StateGlyph state={cellState(run)} progress={run.step / Math.max(1, run.steps)} size={12} />
      {stepWords(run, count)}
    </span>
  )
}
