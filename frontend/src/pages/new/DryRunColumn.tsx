import { Button } from '@mantine/core'
import { useWindowEvent } from '@mantine/hooks'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { useNavigate } from '@tanstack/react-router'
import { useMemo } from 'react'

import { api, unwrap } from '../../api/client'
import type { DryRun, ExperimentDetail } from '../../api/types'
import { ErrorPanel } from '../../components/ErrorPanel'
import { Icon } from '../../components/icons'
import { lossLabel } from '../../components/LossGlyph'
import { Sentence } from '../../components/Sentence'
import { toastError } from '../../components/toast'
import { useLosses } from '../../components/useLosses'
import { dryGrid, type DryGrid } from '../../lib/dryrun'
import { count, duration, plural } from '../../lib/format'
import { lossOfLabel } from '../../lib/losses'
import { levelsOf } from '../../lib/spec'
import { faultsOf, type Draft } from './draft'
import classes from './New.module.css'
import type { Dry } from './useDryRun'

/** What launching would start, what it reuses, and how long it takes. */
export function DryRunColumn({ draft, dry }: { draft: Draft; dry: Dry }) {
  const { data, error, waiting } = dry
  return (
    <section aria-label="Dry run" className={classes.dry} aria-busy={waiting}>
      <div className="spread">
        <h2 className="section">Dry run</h2>
        <span className="secondary">{draft.fault ? 'of the last readable text' : waiting ? 'checking' : 'checked just now'}</span>
      </div>
      {draft.fault ? (
        <Unreadable fault={draft.fault} />
      ) : error ? (
        <Wrong error={error} />
      ) : null}
      {data && (!error || draft.fault) && (
        <Found data={data} encoder={String(levelsOf(draft.spec, 'network.encoder')?.[0] ?? '')} />
      )}
      <Launch draft={draft} dry={dry} />
    </section>
  )
}

function Unreadable({ fault }: { fault: NonNullable<Draft['fault']> }) {
  return (
    <p className={classes.wrong} role="status">
      The YAML cannot be read{fault.line ? `, line ${fault.line}` : ''}. What was checked before stays until it can.
    </p>
  )
}

/** Everything that stands in the way, each with its place. */
function Wrong({ error }: { error: unknown }) {
  const faults = faultsOf(error)
  if (faults.length === 0) return <ErrorPanel error={error} what="This cannot be launched." />
  return (
    <div role="alert">
      <p className={classes.wrong}>{faults.length === 1 ? 'One thing is in the way.' : `${faults.length} things are in the way.`}</p>
      <ul className={classes.faults}>
        {faults.map((fault) => (
          <li key={`${fault.field} ${fault.message}`}>
            {fault.field && <code>{fault.field}</code>}
            <p>
              <Sentence text={[fault.message, fault.remedy].filter(Boolean).join(' ')} />
            </p>
          </li>
        ))}
      </ul>
    </div>
  )
}

/** `encoder` is what the grid's runs have where it does not vary. */
function Found({ data, encoder }: { data: DryRun; encoder: string }) {
  return (
    <>
      <div className={classes.numbers}>
        <Headline value={data.new} words={data.new === data.total ? (data.new === 1 ? 'new run' : 'new runs') : `new of ${plural(data.total, 'run')}`} />
        {data.reused > 0 && <Headline value={data.reused} words={data.reused === 1 ? 'exists, reused' : 'exist, reused'} />}
      </div>
      <Cells data={data} encoder={encoder} />
      <dl className={`${classes.sums} num`}>
        <dt>Images to train</dt>
        <dd>{count(data.images_to_train)}</dd>
        <dt>Done in about</dt>
        <dd>{data.new === 0 ? 'nothing to do' : data.seconds === null ? 'not known yet' : duration(data.seconds)}</dd>
        <dt>Trainings side by side</dt>
        <dd>{data.slots}</dd>
      </dl>
      <ul className={classes.warnings}>
        {data.warnings.map((warning) => (
          <li key={warning}>
            <Icon name="warning" />
            <span>
              <Sentence text={warning} />
            </span>
          </li>
        ))}
        {data.basis && (
          <li data-quiet>
            <Icon name="info" /> {data.basis}
          </li>
        )}
      </ul>
    </>
  )
}

function Headline({ value, words }: { value: number; words: string }) {
  return (
    <p>
      <span className={`${classes.headline} num`}>{count(value)}</span>
      <span className="secondary">{words}</span>
    </p>
  )
}

function Cells({ data, encoder }: { data: DryRun; encoder: string }) {
  const grid = useMemo(() => dryGrid(data.cells), [data.cells])
  const losses = useLosses()
  if (grid.rows.length * grid.columns.length > 600) return null
  return (
    <div className="scroll-x" tabIndex={0} role="region" aria-label="Runs by loss, encoder and size">
      <table className={classes.cells}>
        <CellsHead grid={grid} shared={encoder} />
        <tbody className="num">
          {grid.rows.map((row, r) => (
            <tr key={row}>
              <th scope="row">{lossLabel(lossOfLabel(row), row, losses.title)}</th>
              {grid.counts[r]!.map(({ fresh, known }, c) => (
                <td key={c} data-kind={fresh > 0 ? 'new' : known > 0 ? 'known' : undefined} title={fresh + known > 0 ? `${fresh} to train, ${known} there already` : 'not in the grid'}>
                  {fresh > 0 ? `+${fresh}` : known > 0 ? known : ''}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
      <p className={classes.legend}>
        <span data-kind="new" /> to train <span data-kind="known" /> all there
      </p>
    </div>
  )
}

function CellsHead({ grid, shared }: { grid: DryGrid; shared: string }) {
  const { encoder } = useLosses()
  const named = grid.columns.some((column) => column.encoder !== null)
  return (
    <thead>
      {named && (
        <tr>
          <td />
          {grid.columns.map((column, i) =>
            i > 0 && grid.columns[i - 1]!.encoder === column.encoder ? null : (
              <th key={i} scope="colgroup" colSpan={grid.columns.filter((other) => other.encoder === column.encoder).length}>
                {encoder(column.encoder ?? shared)}
              </th>
            ),
          )}
        </tr>
      )}
      <tr>
        <td />
        {grid.columns.map((column, i) => (
          <th key={i} scope="col" className="num">
            {column.words || 'runs'}
          </th>
        ))}
      </tr>
    </thead>
  )
}

function Launch({ draft, dry }: { draft: Draft; dry: Dry }) {
  const navigate = useNavigate()
  const client = useQueryClient()
  const launch = useMutation({
    mutationFn: () => unwrap(api.POST('/api/experiments', { body: draft.spec as never })) as Promise<ExperimentDetail>,
    onSuccess: async (experiment) => {
      draft.launched()
      client.setQueryData(['experiment', experiment.id], experiment)
      void client.invalidateQueries({ queryKey: ['experiments'] })
      await navigate({ to: '/experiments/$experimentId/$tab', params: { experimentId: String(experiment.id), tab: 'overview' } })
    },
    onError: toastError,
  })
  const fresh = dry.data?.new ?? 0
  const ready = !dry.waiting && !dry.error && dry.data !== undefined && !launch.isPending
  useWindowEvent('keydown', (event) => {
    if (event.key !== 'Enter' || !(event.ctrlKey || event.metaKey) || !ready) return
    event.preventDefault()
    launch.mutate()
  })
  return (
    <div className={classes.launch}>
      <Button
        fullWidth
        size="sm"
        leftSection={<Icon name="play" size={14} />}
        loading={launch.isPending}
        disabled={!ready && !launch.isPending}
        aria-keyshortcuts="Control+Enter"
        onClick={() => launch.mutate()}
      >
        {dry.error || !dry.data ? 'Launch' : fresh > 0 ? `Launch ${plural(fresh, 'run')}` : 'Create from existing runs'}
      </Button>
      <p className="secondary">{dry.data && fresh === 0 ? 'Nothing to train: all runs exist already.' : 'Pressing twice never trains a run twice.'} Ctrl Enter does the same.</p>
    </div>
  )
}
