import { useMemo } from 'react'

import type { Results } from '../../api/types'
import { defaultOrder, ownRows, parseSort, publishedRows, sortRows, sortText, type Sort } from '../../lib/results'
import classes from './Results.module.css'
import { ResultsTable } from './ResultsTable'
import { useExperimentSearch } from './useExperimentSearch'

const UNSORTED: Sort = { key: '', descending: false }

/** A table as the API gives it, chosen and sorted by the address, with its caption. `lead` orders it before anyone sorts. */
export function TableBody({ data, name, lead }: { data: Results; name: string; lead: string }) {
  const [search, change] = useExperimentSearch()
  const { train_size, encoder, sort: chosen } = search
  const sort = useMemo(() => parseSort(chosen, UNSORTED), [chosen])
  const ours = useMemo(() => {
    const rows = ownRows(data.rows, { train_size, encoder })
    return sort === UNSORTED ? defaultOrder(rows, lead) : sortRows(rows, sort)
  }, [data.rows, train_size, encoder, sort, lead])
  return (
    <>
      <ResultsTable label={name} metrics={data.metrics} ours={ours} quoted={publishedRows(data.rows)} sort={sort} onSort={(next) => change({ sort: sortText(next) }, true)} />
      <p className={classes.caption}>{data.caption} ± sample standard deviation over n seeds; n = 1 has none. Nothing is bold: which differences are decided is for a test over seeds to say.</p>
    </>
  )
}
