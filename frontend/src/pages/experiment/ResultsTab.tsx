import { Button, Menu, Skeleton } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { useMemo } from 'react'

import { figureUrl, resultsQuery } from '../../api/queries'
import type { Results } from '../../api/types'
import { ErrorPanel } from '../../components/ErrorPanel'
import { Control } from '../../components/FigureControls'
import { Icon } from '../../components/icons'
import { useScheme } from '../../components/useScheme'
import { defaultOrder, levels, ownRows, parseSort, publishedRows, sortRows, sortText, type Sort } from '../../lib/results'
import classes from './Results.module.css'
import expClasses from './Experiment.module.css'
import type { TabProps } from './ExperimentPage'
import { ResultsTable } from './ResultsTable'
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
        <Control option="value" values={['last3', 'last', 'best_validation']} value={search.value ?? 'last3'} onChoose={(v) => change({ value: v === 'last3' ? undefined : v })} />
        <Control option="averaging" values={['per_image', 'pooled']} value={search.averaging ?? 'per_image'} onChoose={(v) => change({ averaging: v === 'per_image' ? undefined : v })} />
        <span className={classes.right}>
          <TableExport experimentId={experiment.id} />
        </span>
      </div>
      {query.isPending && <Skeleton height={320} animate={false} />}
      {query.data && <Body data={query.data} />}
    </>
  )
}

function DataChoice({ data }: { data: Results }) {
  const [search, change] = useExperimentSearch()
  const sizes = levels(data.rows, 'train_size').map(String)
  const encoders = levels(data.rows, 'encoder')
  return (
    <>
      {sizes.length > 1 && (
        <Control option="train_size" values={['all', ...sizes]} value={String(search.train_size ?? 'all')} onChoose={(v) => change({ train_size: v === 'all' ? undefined : Number(v) })} />
      )}
      {encoders.length > 1 && <Control option="encoder" values={['all', ...encoders]} value={search.encoder ?? 'all'} onChoose={(v) => change({ encoder: v === 'all' ? undefined : v })} />}
    </>
  )
}

const UNSORTED: Sort = { key: '', descending: false }

function Body({ data }: { data: Results }) {
  const [search, change] = useExperimentSearch()
  const { train_size, encoder, sort: chosen } = search
  const sort = useMemo(() => parseSort(chosen, UNSORTED), [chosen])
  const ours = useMemo(() => {
    const rows = ownRows(data.rows, { train_size, encoder })
    return sort === UNSORTED ? defaultOrder(rows) : sortRows(rows, sort)
  }, [data.rows, train_size, encoder, sort])
  return (
    <>
      <ResultsTable metrics={data.metrics} ours={ours} quoted={publishedRows(data.rows)} sort={sort} onSort={(next) => change({ sort: sortText(next) }, true)} />
      <p className={classes.caption}>{data.caption} ± sample standard deviation over n seeds; n = 1 has none. Nothing is bold: which differences are decided is for a test over seeds to say.</p>
    </>
  )
}

function TableExport({ experimentId }: { experimentId: number }) {
  const [search] = useExperimentSearch()
  const scheme = useScheme()
  const href = (format: string) => `/api/experiments/${experimentId}/results?${new URLSearchParams({ ...selectorOf(search), format })}`
  return (
    <Menu>
      <Menu.Target>
        <Button variant="default" leftSection={<Icon name="download" size={14} />}>
          Export table
        </Button>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Item component="a" href={href('csv')} download="results.csv" rightSection={<span className="secondary">all digits</span>}>
          CSV
        </Menu.Item>
        <Menu.Item component="a" href={href('latex')} download="results.tex" rightSection={<span className="secondary">booktabs</span>}>
          LaTeX
        </Menu.Item>
        <Menu.Item component="a" href={href('json')} download="results.json" rightSection={<span className="secondary">with run ids</span>}>
          JSON
        </Menu.Item>
        {['png', 'svg', 'pdf'].map((format) => (
          <Menu.Item key={format} component="a" href={figureUrl(experimentId, 'results', format, scheme, selectorOf(search))} download={`results.${format}`} rightSection={<span className="secondary">as a picture</span>}>
            {format.toUpperCase()}
          </Menu.Item>
        ))}
      </Menu.Dropdown>
    </Menu>
  )
}
