import { useMutation, useQueryClient } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'

import { api, unwrap } from '../../api/client'
import type { RunSummary } from '../../api/types'
import { plural } from '../../lib/format'
import { isScript } from '../../lib/script'
import { Icon } from '../icons'
import { toast, toastError, toastUndo } from '../toast'
import classes from './Runs.module.css'

export const MOST_COMPARED = 20

type Move = 'cancel' | 'retry'

interface Props {
  selected: ReadonlySet<number>
  /** those of them that are known here */
  runs: readonly RunSummary[]
  base: number | undefined
  onBase: (id: number | undefined) => void
  onClear: () => void
}

/** What can be done with the selected runs; without any, how to select. */
export function SelectionStrip({ selected, runs, base, onBase, onClear }: Props) {
  const move = useMoves()
  if (selected.size === 0) return <Hint base={base} onBase={onBase} />
  const ids = [...selected]
  const trained = runs.filter((run) => !isScript(run))
  const stoppable = trained.filter((run) => (run.status === 'queued' || run.status === 'running') && !run.cancel_requested)
  const retriable = trained.filter((run) => run.status === 'failed' || run.status === 'cancelled')
  const only = ids.length === 1 ? ids[0]! : null
  return (
    <div className={classes.strip} data-on role="toolbar" aria-label="Selected runs">
      <b className="strong num" role="status">
        {ids.length} selected
      </b>
      <Compared ids={ids} />
      {only !== null && (
        <button type="button" className="link" onClick={() => onBase(base === only ? undefined : only)}>
          <Icon name="pin" size={14} /> {base === only ? 'Unpin' : 'Pin as base'}
        </button>
      )}
      {retriable.length > 0 && (
        <button type="button" className="link" disabled={move.isPending} onClick={() => move.mutate({ move: 'retry', runs: retriable })}>
          <Icon name="retry" size={14} /> Retry {retriable.length < ids.length ? retriable.length : ''}
        </button>
      )}
      {stoppable.length > 0 && (
        <button type="button" className="link" disabled={move.isPending} onClick={() => move.mutate({ move: 'cancel', runs: stoppable })}>
          <Icon name="stop" size={14} /> Stop {stoppable.length < ids.length ? stoppable.length : ''}
        </button>
      )}
      <button type="button" className="link" onClick={onClear}>
        <kbd>Esc</kbd> clears
      </button>
    </div>
  )
}

function Compared({ ids }: { ids: number[] }) {
  if (ids.length < 2) return <span className="secondary">select another to compare</span>
  if (ids.length > MOST_COMPARED) return <span className="secondary">at most {MOST_COMPARED} can be compared</span>
  return (
    <Link to="/compare" search={{ runs: ids.join(',') }} className="link">
      <Icon name="compare" size={14} /> Compare
    </Link>
  )
}

function Hint({ base, onBase }: Pick<Props, 'base' | 'onBase'>) {
  return (
    <div className={classes.strip}>
      <span>
        <kbd>x</kbd> or the box selects, Shift a range. Shift-click on a head sorts within the order there is.
      </span>
      {base !== undefined && (
        <button type="button" className="link" onClick={() => onBase(undefined)}>
          Unpin the base, run {base}
        </button>
      )}
    </div>
  )
}

const DONE: Record<Move, string> = { cancel: 'stopped', retry: 'queued again' }

/** Stops runs or queues them again, one after another; which of them were refused is said. */
function useMoves() {
  const client = useQueryClient()
  const post = (id: number, move: Move) => unwrap(move === 'cancel' ? api.POST('/api/runs/{id}/cancel', { params: { path: { id } } }) : api.POST('/api/runs/{id}/retry', { params: { path: { id } } }))
  const all = async (ids: readonly number[], move: Move) => {
    const moved: number[] = []
    for (const id of ids) {
      await post(id, move).then(() => moved.push(id), toastError)
    }
    void client.invalidateQueries({ predicate: ({ queryKey }) => ['experiment', 'experiments', 'run', 'runs', 'workers', 'queue'].includes(String(queryKey[0])) })
    return moved
  }
  return useMutation({
    mutationFn: ({ move, runs }: { move: Move; runs: readonly RunSummary[] }) => all(runs.map((run) => run.id), move),
    onSuccess: (moved, { move }) => {
      if (moved.length === 0) return
      const words = `${plural(moved.length, 'run')} ${DONE[move]}.`
      // One that was running ends at its next step, and can be queued again only then.
      if (move === 'retry') toastUndo(words, () => all(moved, 'cancel'))
      else toast(`${words} What they recorded is kept; Retry goes on from the last checkpoint.`)
    },
  })
}
