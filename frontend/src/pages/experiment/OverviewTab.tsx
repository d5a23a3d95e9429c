import { useQuery } from '@tanstack/react-query'

import { experimentRunsQuery } from '../../api/queries'
import { PanelBoundary } from '../../components/ErrorPanel'
import { onlyScripts } from '../../lib/script'
import { Completeness } from './Completeness'
import CurvesTab from './CurvesTab'
import type { TabProps } from './ExperimentPage'
import { LowestList } from './LowestList'
import classes from './Overview.module.css'
import { Previews } from './Previews'
import { QualitativeStrip } from './QualitativeStrip'

/** Left every run, right the lowest errors so far, below the figures in the paper's order. */
export default function OverviewTab({ experiment }: TabProps) {
  const runs = useQuery(experimentRunsQuery(experiment.id, {})).data
  if (runs && onlyScripts(runs)) return <CurvesTab experiment={experiment} />
  return (
    <div className={classes.overview}>
      <div className={classes.top}>
        <PanelBoundary>
          <Completeness experiment={experiment} />
        </PanelBoundary>
        <PanelBoundary>
          <LowestList experiment={experiment} />
        </PanelBoundary>
      </div>
      <Previews experiment={experiment} />
      <PanelBoundary>
        <QualitativeStrip experiment={experiment} />
      </PanelBoundary>
    </div>
  )
}
