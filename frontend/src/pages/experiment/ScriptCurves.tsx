import { SegmentedControl, Select, Skeleton } from '@mantine/core'
import { useQueries } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { useMemo, useState } from 'react'

import { curvesQuery } from '../../api/queries'
import type { RunSummary, Series } from '../../api/types'
import { Chart } from '../../components/Chart'
import { StateGlyph } from '../../components/StateGlyph'
import { useScheme } from '../../components/useScheme'
import type { Axis } from '../../lib/curves'
import { count, parseTime } from '../../lib/format'
import { cellState } from '../../lib/grid'
import { colourOf, LOSS_TOKENS } from '../../lib/losses'
import { comparedFigure } from '../../lib/runFigure'
import { axesOf, axisLabel, sharedKeys, stepWords } from '../../lib/script'
import classes from './Overview.module.css'

const MOST = 12
const TOKENS = Object.values(LOSS_TOKENS)

/** An experiment of people's own scripts: one curve of each of the newest runs, and which they are. */
export function ScriptCurves({ runs }: { runs: RunSummary[] }) {
  const scheme = useScheme()
  const shown = useMemo(() => runs.toSorted((a, b) => b.id - a.id).slice(0, MOST), [runs])
  const queries = useQueries({ queries: shown.map((run) => curvesQuery(run.id)) })
  const curves = queries.flatMap((query) => query.data ?? [])
  const keys = sharedKeys(curves)
  const [chosenKey, setKey] = useState<string | null>(null)
  const [chosenAxis, setAxis] = useState<Axis>('step')
  const key = keys.find((name) => name === chosenKey) ?? keys[0]
  const axes = axesOf(shown.find((run) => axesOf(run).length > 2) ?? shown[0]!)
  const axis = axes.includes(chosenAxis) ? chosenAxis : 'step'
  const lines = shown.map((run, i) => ({
    name: run.loss_label,
    token: TOKENS[i % TOKENS.length]!,
    origin: run.started_at ? parseTime(run.started_at) / 1000 : 0,
    series: key === undefined ? undefined : (queries[i]?.data?.series[key] as Series | undefined),
  }))
  const figure = comparedFigure(lines, scheme, axis)
  return (
    <section aria-label="Curves">
      <div className={classes.head}>
        <h2 className="section">Curves</h2>
        <span className="row">
          <Select aria-label="Curve" w={240} searchable data={keys} value={key ?? null} onChange={setKey} />
          <SegmentedControl aria-label="X axis" data={axes.map((name) => ({ value: name, label: axisLabel(name) }))} value={axis} onChange={(name) => setAxis(name as Axis)} />
        </span>
      </div>
      {queries.some((query) => query.isPending) && keys.length === 0 && <Skeleton height={320} animate={false} />}
      {key === undefined ? <p className="secondary">Nothing has been logged yet.</p> : <Chart figure={figure} height={320} label={`${key} of the newest runs`} />}
      <ul className={classes.scripts}>
        {shown.map((run, i) => (
          <li key={run.id}>
            <svg width="28" height="12" viewBox="0 0 28 12" style={{ color: colourOf(TOKENS[i % TOKENS.length]!, scheme), flex: 'none' }} aria-hidden>
              <path d="M0 6H28" stroke="currentColor" strokeWidth="2" />
            </svg>
            <Link to="/runs/$runId" params={{ runId: String(run.id) }} className="ellipsis">
              {run.loss_label}
            </Link>
            <StateGlyph state={cellState(run)} progress={run.step / Math.max(1, run.steps)} size={12} />
            <span className="secondary num">{stepWords(run, count)}</span>
          </li>
        ))}
      </ul>
      <p className="secondary">
        {runs.length > MOST && `The newest ${MOST} of ${count(runs.length)} runs; all are under Runs. `}
        These runs are of people’s own scripts: the other figures compare evaluations, which they do not have.
      </p>
    </section>
  )
}
