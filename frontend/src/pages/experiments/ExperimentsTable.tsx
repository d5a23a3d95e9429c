import { Skeleton } from '@mantine/core'
import { useNavigate } from '@tanstack/react-router'
import { useMemo, type ReactNode } from 'react'

import type { ExperimentSummary } from '../../api/types'
import { isActive } from '../../lib/experiment'
import { clicked, parseSorts, sortMark, sortsText } from '../../lib/runTable'
import { experimentsRoute } from '../../router'
import { ExperimentRow } from './ExperimentRow'
import classes from './Experiments.module.css'

interface Props {
  /** undefined while they are being read */
  items?: ExperimentSummary[]
  selected: readonly ExperimentSummary[]
  onToggle: (id: number) => void
}

/** Pinned ones on top, then those that go on; sorted by a column they stand in one list. */
export function ExperimentsTable({ items, selected, onToggle }: Props) {
  const { sort } = experimentsRoute.useSearch()
  const offered = useMemo(() => [...new Set(items?.flatMap((item) => item.tags))].toSorted(), [items])
  const groups = useMemo(() => grouped(items ?? [], sort !== undefined), [items, sort])
  return (
    <div className={classes.wide}>
      <table className={`table ${classes.table}`}>
        <Head />
        {items ? (
          groups.map(([title, members]) => (
            <tbody key={title}>
              {title && (
                <tr>
                  <th colSpan={5} scope="colgroup" className={classes.group}>
                    <b>{title}</b> <span className="num">{members.length}</span>
                  </th>
                </tr>
              )}
              {members.map((item) => (
                <ExperimentRow key={item.id} item={item} offered={offered} selected={selected.includes(item)} onToggle={() => onToggle(item.id)} />
              ))}
            </tbody>
          ))
        ) : (
          <SkeletonRows />
        )}
      </table>
      <Legend />
    </div>
  )
}

function grouped(items: ExperimentSummary[], sorted: boolean): [string, ExperimentSummary[]][] {
  if (sorted) return [['', items]]
  const pinned = items.filter((item) => item.pinned)
  const rest = items.filter((item) => !item.pinned)
  const groups: [string, ExperimentSummary[]][] = [
    ['Pinned', pinned],
    ['Running', rest.filter((item) => isActive(item.counts))],
    ['Finished', rest.filter((item) => !isActive(item.counts))],
  ]
  return groups.filter(([, members]) => members.length > 0)
}

function Head() {
  return (
    <thead>
      <tr>
        <SortHead name="name">Experiment</SortHead>
        <SortHead name="runs" falling className={classes.runs}>
          Runs
        </SortHead>
        <SortHead name="best">Best test RMSE</SortHead>
        <SortHead name="hours" falling className={`right ${classes.hours}`}>
          Training time
        </SortHead>
        <SortHead name="created" falling className={`right ${classes.created}`}>
          Created
        </SortHead>
      </tr>
    </thead>
  )
}

interface SortProps {
  name: string
  /** the first click puts the largest on top */
  falling?: boolean
  className?: string
  children: ReactNode
}

/** The third click is the list’s own order again. */
function SortHead({ name, falling = false, className, children }: SortProps) {
  const { sort } = experimentsRoute.useSearch()
  const navigate = useNavigate()
  const sorts = parseSorts(sort).filter(({ key }) => key === name)
  const [active] = sorts
  return (
    <th scope="col" className={className} aria-sort={active ? (active.descending ? 'descending' : 'ascending') : undefined}>
      <button
        type="button"
        className={classes.sort}
        data-active={active || undefined}
        onClick={() => void navigate({ from: '/', to: '/', search: (previous) => ({ ...previous, sort: sortsText(clicked(sorts, name, falling, true)), page: undefined }) })}
      >
        {children}
        {active && <span aria-hidden>{sortMark(sorts, name)}</span>}
      </button>
    </th>
  )
}

function SkeletonRows() {
  return (
    <tbody aria-hidden>
      {[0, 1, 2, 3, 4].map((row) => (
        <tr key={row} className={classes.row}>
          {[260, 148, 90, 40, 70].map((width, i) => (
            <td key={i} className={i > 2 ? 'right' : undefined}>
              <Skeleton display="inline-block" height={10} width={width} radius="xs" animate={false} />
              <Skeleton height={8} mt={6} ml={i > 2 ? 'auto' : 0} width={width * 0.6} radius="xs" animate={false} />
            </td>
          ))}
        </tr>
      ))}
    </tbody>
  )
}

function Legend() {
  return (
    <ul className={classes.legend} aria-label="Colours of the bars">
      {(['finished', 'running', 'failed', 'cancelled', 'queued'] as const).map((state) => (
        <li key={state}>
          <span className={`${classes.swatch} ${classes[state]}`} /> {state === 'finished' ? 'done' : state}
        </li>
      ))}
    </ul>
  )
}
