import { Button, Skeleton } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { useRef, useState } from 'react'

import { qualitativeQuery, type QualitativeChoice } from '../../api/queries'
import type { Qualitative } from '../../api/types'
import { useZoom, type Cursor } from '../../components/depth/useZoom'
import { ErrorPanel } from '../../components/ErrorPanel'
import { lineText, parseLine, type Line } from '../../lib/line'
import { rangeWords } from '../../lib/look'
import type { ExperimentSearch } from '../../router'
import { CursorPanel } from './CursorPanel'
import type { TabProps } from './ExperimentPage'
import classes from './Qualitative.module.css'
import { QualitativeControls } from './QualitativeControls'
import { RowStage } from './RowStage'
import { TileTable } from './TileTable'
import { useExperimentSearch } from './useExperimentSearch'
import { useQualitativeKeys } from './useQualitativeKeys'
import { useViewed, type Viewed } from './useQualitative'

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
  return <p className={classes.none}>No depth maps yet. The first come with the first evaluation of a run at this size and encoder; a script shows them with `run.log_depth`.</p>
}

export function choiceOf(search: ExperimentSearch): QualitativeChoice {
  const { dataset, train_size, encoder, seed, step, protocol } = search
  return Object.fromEntries(Object.entries({ dataset, train_size, encoder, seed, step, protocol }).filter(([, value]) => value !== undefined))
}

/** The line of the profile and the row that it is drawn in. */
export interface DrawnLine {
  frame: number
  line: Line
}

function Tiles({ data }: { data: Qualitative }) {
  const [search] = useExperimentSearch()
  const viewed = useViewed(data)
  const { grid, look } = viewed
  const pointer = usePointer(viewed)
  const { root, cursor, zoomed, reset, line } = pointer
  const opened = grid.rows.findIndex((row) => row.frame.id === search.row)
  useQualitativeKeys(viewed, cursor, opened, root)
  const shared = { viewed, cursor, zoom: search.zoom, line }
  return (
    <>
      <div ref={root} className={opened < 0 ? classes.grid : classes.stageRoot}>
        {opened < 0 ? <TileTable {...shared} /> : <RowStage {...shared} index={opened} />}
      </div>
      <div className={classes.under}>
        <p className={classes.caption}>
          {data.caption} {rangeWords(search, look)}
          {look.scaled && ' Each prediction × median of the ground truth / median of the prediction, image by image.'}
        </p>
        {zoomed && (
          <button type="button" className="link" onClick={reset}>
            Show whole images
          </button>
        )}
      </div>
      <CursorPanel viewed={viewed} cursor={cursor ?? rowOf(line, viewed, opened)} pointing={cursor !== null} pinned={pointer.pinned} line={line} />
    </>
  )
}

/** Without a cursor the panel is about the row of the drawn line, or the opened one. */
function rowOf(line: DrawnLine | null, { grid }: Viewed, opened: number): Cursor | null {
  const row = line ? grid.rows.findIndex((r) => r.frame.id === line.frame) : opened
  return row < 0 ? null : { row, u: 0.5, v: 0.5 }
}

/** Cursor, pin, zoom and drawn line of the tiles below `root`. */
function usePointer({ grid }: Viewed) {
  const [search, change] = useExperimentSearch()
  const root = useRef<HTMLDivElement>(null)
  const [hover, setHover] = useState<Cursor | null>(null)
  const [pinned, setPinned] = useState<Cursor | null>(null)
  const [drawing, setDrawing] = useState<DrawnLine | null>(null)
  const { zoomed, reset } = useZoom(root, {
    text: search.zoom,
    onText: (zoom) => change({ zoom }, true),
    onCursor: setHover,
    onPin: (cursor) => setPinned((old) => (old && old.row === cursor.row && near(old, cursor) ? null : cursor)),
    onLine: (row, line, done) => {
      const frame = grid.rows[row]!.frame.id
      const long = Math.hypot(line.bu - line.au, line.bv - line.av) > 0.02
      setDrawing(done || !long ? null : { frame, line })
      if (done) change(long ? { line: lineText(line), on: frame, panel: search.panel === 'profile' ? search.panel : undefined } : { line: undefined, on: undefined }, true)
    },
  })
  const kept = parseLine(search.line)
  const frame = typeof search.on === 'number' ? search.on : grid.rows[0]?.frame.id
  const line = drawing ?? (kept && frame !== undefined ? { frame, line: kept } : null)
  return { root, cursor: hover ?? pinned, pinned: pinned !== null && hover === null, zoomed, reset, line }
}

function near(a: Cursor, b: Cursor): boolean {
  return Math.hypot(a.u - b.u, a.v - b.v) < 0.03
}
