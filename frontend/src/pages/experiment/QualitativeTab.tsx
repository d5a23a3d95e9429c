import { Button, Skeleton } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { useMemo, useRef, useState } from 'react'

import { qualitativeQuery, type QualitativeChoice } from '../../api/queries'
import type { Qualitative } from '../../api/types'
import type { Colouring } from '../../components/depth/DepthTile'
import { useZoom, type Cursor } from '../../components/depth/useZoom'
import { ErrorPanel } from '../../components/ErrorPanel'
import type { ColourMap, View } from '../../lib/depth'
import { errorLimit, tileGrid, type RowOrder } from '../../lib/qualitative'
import type { ExperimentSearch } from '../../router'
import { CursorPanel } from './CursorPanel'
import type { TabProps } from './ExperimentPage'
import classes from './Qualitative.module.css'
import { QualitativeControls } from './QualitativeControls'
import { TileTable } from './TileTable'
import { useExperimentSearch } from './useExperimentSearch'

export default function QualitativeTab({ experiment }: TabProps) {
  const [search, change] = useExperimentSearch()
  const query = useQuery(qualitativeQuery(experiment.id, choiceOf(search)))
  if (query.error && !query.data) {
    const choice = { dataset: undefined, train_size: undefined, encoder: undefined, seed: undefined, step: undefined }
    return (
      <>
        <ErrorPanel error={query.error} onRetry={() => void query.refetch()} />
        <Button variant="default" size="xs" mt="md" onClick={() => change(choice)}>
          Show what most runs have
        </Button>
      </>
    )
  }
  return (
    <>
      <QualitativeControls experiment={experiment} data={query.data} />
      {query.isPending && <Skeleton height={480} animate={false} />}
      {query.data && (query.data.frames.length === 0 ? <NothingYet /> : <Tiles data={query.data} />)}
    </>
  )
}

function NothingYet() {
  return <p className={classes.none}>No depth maps yet. The first come with the first evaluation of a run at this size and encoder.</p>
}

export function choiceOf(search: ExperimentSearch): QualitativeChoice {
  const { dataset, train_size, encoder, seed, step, protocol } = search
  return Object.fromEntries(Object.entries({ dataset, train_size, encoder, seed, step, protocol }).filter(([, value]) => value !== undefined))
}

export function colouringOf(search: ExperimentSearch, data: Pick<Qualitative, 'depth_range' | 'predictions'> | undefined): Colouring {
  const depthRange = data?.depth_range ?? [0, 10]
  const view = (search.view === 'error' || search.view === 'relative' ? search.view : 'depth') as View
  const map = (['viridis', 'cividis', 'grey'].includes(search.colours ?? '') ? search.colours : 'depth') as ColourMap
  const low = search.low ?? depthRange[0]
  const high = search.high ?? depthRange[1]
  const limit = search.limit ?? errorLimit(data?.predictions ?? [], view === 'relative')
  return { view, map, range: high > low ? [low, high] : [low, low + 0.1], limit }
}

function Tiles({ data }: { data: Qualitative }) {
  const [search, change] = useExperimentSearch()
  const root = useRef<HTMLDivElement>(null)
  const [hover, setHover] = useState<Cursor | null>(null)
  const [pinned, setPinned] = useState<Cursor | null>(null)
  const metric = search.metric ?? 'rmse'
  const order = (search.sort ?? 'position') as RowOrder
  const grid = useMemo(() => tileGrid(data, order, metric), [data, order, metric])
  const { view, colours, low, high, limit } = search
  const colouring = useMemo(() => colouringOf({ view, colours, low, high, limit }, data), [view, colours, low, high, limit, data])
  const { zoomed, reset } = useZoom(root, {
    text: search.zoom,
    onText: (zoom) => change({ zoom }, true),
    onCursor: setHover,
    onPin: (cursor) => setPinned((old) => (old && old.row === cursor.row && near(old, cursor) ? null : cursor)),
  })
  const cursor = hover ?? pinned
  return (
    <>
      <div ref={root} className={classes.grid}>
        <TileTable grid={grid} colouring={colouring} cursor={cursor} metric={metric} zoom={search.zoom} />
      </div>
      <div className={classes.under}>
        <p className={classes.caption}>{data.caption}</p>
        {zoomed && (
          <button type="button" className="link" onClick={reset}>
            Show whole images
          </button>
        )}
      </div>
      <CursorPanel grid={grid} cursor={cursor} pinned={pinned !== null && hover === null} />
    </>
  )
}

function near(a: Cursor, b: Cursor): boolean {
  return Math.hypot(a.u - b.u, a.v - b.v) < 0.03
}
