import { Skeleton } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'

import { sharpnessQuery, type FigureOptions } from '../../api/queries'
import { ErrorPanel } from '../../components/ErrorPanel'
import expClasses from './Experiment.module.css'
import type { TabProps } from './ExperimentPage'
import { TableBody } from './TableBody'
import { DataChoice, ProtocolChoice } from './TableChoices'
import { useExperimentSearch } from './useExperimentSearch'

/** How sharp the predicted edges are. One evaluation speaks for a run and its images are averaged, so there is no selector. */
export default function SharpnessTab({ experiment }: TabProps) {
  const [{ protocol }] = useExperimentSearch()
  const options: FigureOptions = protocol ? { protocol } : {}
  const query = useQuery(sharpnessQuery(experiment.id, options))
  if (query.error && !query.data) return <ErrorPanel error={query.error} onRetry={() => void query.refetch()} />
  return (
    <>
      <div className={expClasses.controls}>
        {query.data && <DataChoice data={query.data} />}
        <ProtocolChoice experimentId={experiment.id} name="sharpness" />
      </div>
      {query.isPending && <Skeleton height={320} animate={false} />}
      {query.data && <TableBody data={query.data} name="Sharpness" lead="mae_edge" />}
    </>
  )
}
