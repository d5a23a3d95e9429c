import { Skeleton } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'

import { datasetsQuery } from '../../api/queries'
import type { DatasetEntry } from '../../api/types'
import { ErrorPanel } from '../../components/ErrorPanel'
import { Icon } from '../../components/icons'
import { PageHeader } from '../../components/PageHeader'
import { plural } from '../../lib/format'
import { datasetsRoute } from '../../router'
import { AddDataset } from './AddDataset'
import { DatasetDetail } from './DatasetDetail'
import classes from './Datasets.module.css'

/** What can be trained on: the list, and one dataset's report beside it. */
export function DatasetsPage() {
  const query = useQuery(datasetsQuery())
  const { name } = datasetsRoute.useSearch()
  const chosen = query.data?.find((dataset) => dataset.name === name) ?? query.data?.[0]
  return (
    <>
      <PageHeader title="Datasets" tabTitle="Datasets" />
      <div className={classes.page}>
        {query.error && !query.data && <ErrorPanel error={query.error} onRetry={() => void query.refetch()} what="The datasets could not be read." />}
        {query.isPending && <Skeleton height={360} animate={false} />}
        {query.data && (
          <div className={classes.columns}>
            <div>
              <List datasets={query.data} chosen={chosen?.name} />
              <AddDataset />
            </div>
            {chosen && <DatasetDetail key={chosen.name} dataset={chosen} />}
          </div>
        )}
      </div>
    </>
  )
}

function List({ datasets, chosen }: { datasets: DatasetEntry[]; chosen?: string }) {
  return (
    <nav aria-label="Datasets">
      <ul className={classes.list}>
        {datasets.map((dataset) => {
          const problems = dataset.report.problem_count ?? 0
          return (
            <li key={dataset.name}>
              <Link to="/datasets" search={{ name: dataset.name }} className={classes.entry} data-active={dataset.name === chosen || undefined} aria-current={dataset.name === chosen ? 'page' : undefined}>
                <span className="row">
                  <b className="strong ellipsis">{dataset.name}</b>
                  {problems > 0 && (
                    <span className={classes.bad} title="cannot be trained on">
                      <Icon name="warning" size={14} />
                    </span>
                  )}
                </span>
                <span className="secondary num">
                  {plural(dataset.report.counts.frames, 'frame')} · {plural(dataset.runs, 'run')}
                </span>
              </Link>
            </li>
          )
        })}
      </ul>
    </nav>
  )
}
