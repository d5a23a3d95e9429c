import { Skeleton } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { useMemo } from 'react'

import { figureQuery } from '../../api/queries'
import type { ExperimentDetail } from '../../api/types'
import { Chart } from '../../components/Chart'
import { ErrorPanel, PanelBoundary } from '../../components/ErrorPanel'
import { useScheme } from '../../components/useScheme'
import { onlyPanel, panelAxes, panelTitle, previewHeight, type PlotlyFigure } from '../../lib/figure'
import type { Tab } from '../../router'
import classes from './Overview.module.css'
import { selectorOf, useExperimentSearch } from './useExperimentSearch'

interface Preview {
  name: Extract<Tab, 'convergence' | 'dataset-size' | 'encoders'>
  title: string
  /** which panel stands for the figure */
  pick: (axes: string[]) => string
}

const PREVIEWS: Preview[] = [
  { name: 'convergence', title: 'Convergence', pick: (axes) => axes.at(-1)! },
  { name: 'dataset-size', title: 'Metric against size', pick: (axes) => axes[0]! },
  { name: 'encoders', title: 'Encoders', pick: (axes) => axes[0]! },
]

/** Small versions of the figures, one panel each, in the paper's order. */
export function Previews({ experiment }: { experiment: ExperimentDetail }) {
  return (
    <div className={classes.previews}>
      {PREVIEWS.map((preview) => (
        <PanelBoundary key={preview.name}>
          <Small experiment={experiment} preview={preview} />
        </PanelBoundary>
      ))}
    </div>
  )
}

function Small({ experiment, preview }: { experiment: ExperimentDetail; preview: Preview }) {
  const scheme = useScheme()
  const [search] = useExperimentSearch()
  const query = useQuery(figureQuery(experiment.id, preview.name, scheme, selectorOf(search)))
  const axis = query.data && preview.pick(panelAxes(query.data))
  const figure: PlotlyFigure | undefined = useMemo(() => query.data && axis && onlyPanel(query.data, axis), [query.data, axis]) || undefined
  const panel = query.data && axis ? panelTitle(query.data, axis).replace(/ · n = .*/, '') : ''
  return (
    <section aria-label={preview.title}>
      <div className={classes.head}>
        <h2 className="section">
          {preview.title}
          {panel && <span className={classes.of}>, {panel}</span>}
        </h2>
        <Link to="/experiments/$experimentId/$tab" params={{ experimentId: String(experiment.id), tab: preview.name }} search={(previous) => selectorOf(previous)}>
          Open
        </Link>
      </div>
      {query.error && !query.data && <ErrorPanel error={query.error} onRetry={() => void query.refetch()} />}
      {query.isPending && <Skeleton height={210} animate={false} />}
      {figure && <Chart figure={figure} height={previewHeight(figure)} label={`${preview.title}, preview`} still />}
    </section>
  )
}
