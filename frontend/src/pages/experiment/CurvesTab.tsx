import { useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { useMemo, useState } from 'react'

import { experimentRunsQuery } from '../../api/queries'
import type { RunSummary } from '../../api/types'
import { FigurePanel } from '../../components/FigurePanel'
import { StateGlyph } from '../../components/StateGlyph'
import { runLines, type RunLine } from '../../lib/figure'
import { count } from '../../lib/format'
import { cellState } from '../../lib/grid'
import { onlyScripts, stepWords } from '../../lib/script'
import classes from './Curves.module.css'
import type { TabProps } from './ExperimentPage'
import { FigureTab } from './FigureTab'

/** What the runs logged under one key, a line a run; the list under it is the legend. Of people's own scripts it is the overview too. */
export default function CurvesTab({ experiment }: TabProps) {
  const [lifted, setLifted] = useState<string | null>(null)
  const runs = useQuery(experimentRunsQuery(experiment.id, {})).data
  return (
    <FigureTab experiment={experiment} name="curves">
      {(options) => (
        <>
          <FigurePanel
            experimentId={experiment.id}
            name="curves"
            title="Curves"
            options={options}
            legend={false}
            lifted={lifted}
            onLift={setLifted}
            renderBelow={(figure) => <Legend lines={runLines(figure)} runs={runs ?? []} experimentId={experiment.id} lifted={lifted} onLift={setLifted} />}
          />
          {runs && onlyScripts(runs) && <p className={classes.note}>These runs are of people’s own scripts: the other figures compare evaluations, which they do not have.</p>}
        </>
      )}
    </FigureTab>
  )
}

interface LegendProps {
  lines: RunLine[]
  runs: readonly RunSummary[]
  experimentId: number
  lifted: string | null
  onLift: (group: string | null) => void
}

function Legend({ lines, runs, experimentId, lifted, onLift }: LegendProps) {
  const known = useMemo(() => new Map(runs.map((run) => [run.id, run])), [runs])
  return (
    <ul className={classes.legend} aria-label="Runs drawn">
      {lines.map((line) => (
        <li
          key={line.run}
          data-lifted={line.group === lifted || undefined}
          onPointerEnter={() => onLift(line.group)}
          onPointerLeave={() => onLift(null)}
          onFocus={() => onLift(line.group)}
          onBlur={() => onLift(null)}
        >
          <svg width="28" height="12" viewBox="0 0 28 12" aria-hidden focusable="false">
            <path d="M0 6H28" stroke={line.colour} strokeWidth="2" strokeDasharray={line.dash} />
          </svg>
          <Link to="/runs/$runId" params={{ runId: String(line.run) }} search={{ from: experimentId }} className="ellipsis" title={line.name}>
            {line.name}
          </Link>
          <Standing run={known.get(line.run)} />
        </li>
      ))}
    </ul>
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
