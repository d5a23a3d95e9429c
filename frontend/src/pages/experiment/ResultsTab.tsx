import { useQuery } from '@tanstack/react-query'

import { resultsQuery } from '../../api/queries'
import { ErrorPanel } from '../../components/ErrorPanel'
import { Control } from '../../components/FigureControls'
import { TableSkeleton } from '../../components/TableSkeleton'
import classes from './Results.module.css'
import expClasses from './Experiment.module.css'
import type { TabProps } from './ExperimentPage'
import { TableBody } from './TableBody'
import { DataChoice, ProtocolChoice } from './TableChoices'
import { selectorOf, useExperimentSearch } from './useExperimentSearch'

/** Table 2: ours and the constant prediction sorted together, the published rows quoted below a line. */
export default function ResultsTab({ experiment }: TabProps) {
  const [search, change] = useExperimentSearch()
  const query = useQuery(resultsQuery(experiment.id, selectorOf(search)))
  if (query.error && !query.data) return <ErrorPanel error={query.error} onRetry={() => void query.refetch()} />
  return (
    <>
      <div className={expClasses.controls}>
        {query.data && <DataChoice data={query.data} />}
        <ProtocolChoice experimentId={experiment.id} name="results" />
        <Control option="value" values={['last3', 'last', 'best_validation']} value={search.value ?? 'last3'} onChoose={(v) => change({ value: v === 'last3' ? undefined : v })} />
        {query.data?.value === 'last' && (search.value ?? 'last3') === 'last3' && <span className={classes.forced}>The last evaluation counts here: re-scored runs have no other.</span>}
        <Control option="averaging" values={['per_image', 'pooled']} value={search.averaging ?? 'per_image'} onChoose={(v) => change({ averaging: v === 'per_image' ? undefined : v })} />
      </div>
      {query.isPending && <TableSkeleton columns={9} />}
      {query.data && <TableBody data={query.data} name="Results" lead="rmse" />}
    </>
  )
}
