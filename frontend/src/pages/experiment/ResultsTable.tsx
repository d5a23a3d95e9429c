import type { ReactNode } from 'react'

import type { MetricEntry, ResultRow } from '../../api/types'
import { Icon } from '../../components/icons'
import { LossName } from '../../components/LossGlyph'
import { useLosses } from '../../components/useLosses'
import { count, isShare, metric as metricText, metricTitle, NONE, spread } from '../../lib/format'
import { columnGroups, type Sort } from '../../lib/results'
import { clicked, sortMark } from '../../lib/runTable'
import classes from './Results.module.css'

interface Props {
  label: string
  metrics: string[]
  ours: ResultRow[]
  quoted: ResultRow[]
  sort: Sort
  onSort: (sort: Sort) => void
}

/** What stands before the values; a level that all rows share is in the controls above and needs no column. */
interface Lead {
  dataset: boolean
  size: boolean
  encoder: boolean
  /** metrics of which some row has a deviation: the others keep its room free, so that decimals align */
  spread: ReadonlySet<string>
}

function leadOf(ours: readonly ResultRow[], metrics: readonly string[]): Lead {
  const own = ours.filter((row) => row.kind === 'run')
  const several = (key: 'dataset' | 'train_size' | 'encoder') => new Set(own.map((row) => row[key])).size > 1
  return {
    dataset: several('dataset'),
    size: several('train_size'),
    encoder: several('encoder'),
    spread: new Set(metrics.filter((name) => own.some((row) => row.spread[name] != null))),
  }
}

const leadColumns = (lead: Lead) => 2 + [lead.dataset, lead.size, lead.encoder].filter(Boolean).length

export function ResultsTable({ label, metrics, ours, quoted, sort, onSort }: Props) {
  const lead = leadOf(ours, metrics)
  const columns = leadColumns(lead) + metrics.length
  return (
    <div className="scroll-x" tabIndex={0} role="region" aria-label={label}>
      <table className={`table ${classes.table}`} data-wide={metrics.length > 8 || undefined}>
        <Head metrics={metrics} lead={lead} sort={sort} onSort={onSort} />
        <tbody>
          {ours.map((row) => (
            <Row key={`${row.kind}${row.label}${row.train_size}${row.encoder}${row.dataset}`} row={row} metrics={metrics} lead={lead} />
          ))}
          {ours.length === 0 && (
            <tr>
              <td colSpan={columns} className={classes.none}>
                No run has been evaluated yet.
              </td>
            </tr>
          )}
        </tbody>
        {quoted.length > 0 && (
          <tbody className={classes.quoted}>
            <tr>
              <th colSpan={columns} scope="colgroup">
                <span className="row">
                  <Icon name="quote" size={14} /> <b className="strong">Published, quoted</b> as printed; other data, crops, depth and averaging, so never averaged with ours
                </span>
              </th>
            </tr>
            {quoted.map((row) => (
              <Row key={row.label} row={row} metrics={metrics} lead={lead} />
            ))}
          </tbody>
        )}
      </table>
    </div>
  )
}

function Head({ metrics, lead, sort, onSort }: { metrics: string[]; lead: Lead; sort: Sort; onSort: (sort: Sort) => void }) {
  const losses = useLosses()
  const groups = columnGroups(metrics.map((name) => losses.metric(name)))
  const head = { sort, onSort }
  return (
    <thead>
      <tr className={classes.groups}>
        <td colSpan={leadColumns(lead)} />
        {groups.map((group, i) => (
          <th key={i} colSpan={group.columns}>
            {group.words}
          </th>
        ))}
      </tr>
      <tr>
        <SortHead {...head} name="label">
          Loss
        </SortHead>
        {lead.dataset && (
          <SortHead {...head} name="dataset">
            Data
          </SortHead>
        )}
        {lead.size && (
          <SortHead {...head} name="train_size" right>
            Images
          </SortHead>
        )}
        {lead.encoder && (
          <SortHead {...head} name="encoder">
            Encoder
          </SortHead>
        )}
        <SortHead {...head} name="n" right>
          n
        </SortHead>
        {metrics.map((name) => {
          const entry = losses.metric(name)
          return (
            <SortHead key={name} {...head} name={name} right falling={entry && !entry.lower_is_better}>
              {entry ? headText(entry) : name}
            </SortHead>
          )
        })}
      </tr>
    </thead>
  )
}

/** Shares and pixels have their unit in the words above. */
function headText(entry: MetricEntry): string {
  if (isShare(entry)) return entry.label.replace('<', ' < ')
  return entry.unit === 'px' ? entry.label : metricTitle({ ...entry, name: '' })
}

interface SortProps {
  name: string
  sort: Sort
  onSort: (sort: Sort) => void
  right?: boolean
  /** the first click puts the largest on top */
  falling?: boolean
  children: ReactNode
}

export function SortHead({ name, sort, onSort, right, falling = false, children }: SortProps) {
  const active = sort.key === name
  return (
    <th scope="col" className={right ? 'right' : undefined} aria-sort={active ? (sort.descending ? 'descending' : 'ascending') : undefined}>
      <button type="button" className={classes.sort} data-active={active || undefined} onClick={() => onSort(clicked([sort], name, falling, false)[0]!)}>
        {children}
        <span aria-hidden>{sortMark([sort], name)}</span>
      </button>
    </th>
  )
}

function Row({ row, metrics, lead }: { row: ResultRow; metrics: string[]; lead: Lead }) {
  const losses = useLosses()
  return (
    <tr data-kind={row.kind}>
      {row.kind === 'published' ? (
        <td colSpan={leadColumns(lead)}>
          {row.label}
          {row.note && <span className={classes.protocol}>{row.note}</span>}
        </td>
      ) : (
        <LeadCells row={row} lead={lead} />
      )}
      {metrics.map((name) => (
        <td key={name} className={`right num ${classes.value}`}>
          {row.values[name] == null ? NONE : metricText(row.values[name], losses.metric(name))}
          {lead.spread.has(name) && <span className={classes.spread}>{row.kind !== 'run' || row.spread[name] == null ? '' : spread(row.spread[name], losses.metric(name))}</span>}
        </td>
      ))}
    </tr>
  )
}

function LeadCells({ row, lead }: { row: ResultRow; lead: Lead }) {
  const losses = useLosses()
  return (
    <>
      <td>
        {row.loss ? <LossName name={row.loss} label={row.label} line /> : row.label}
        {row.note && <span className={classes.note}>{row.note}</span>}
      </td>
      {lead.dataset && <td>{row.dataset}</td>}
      {lead.size && <td className="right num">{row.train_size === null ? '' : count(row.train_size)}</td>}
      {lead.encoder && <td>{row.encoder === null ? '' : losses.encoder(row.encoder)}</td>}
      <td className="right num">{row.kind === 'run' ? row.n : ''}</td>
    </>
  )
}
