import { CopyButton } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'

import { checkpointsQuery } from '../../api/queries'
import type { CheckpointEntry, RunDetail } from '../../api/types'
import { Icon } from '../../components/icons'
import { bytes, count, fixed } from '../../lib/format'
import classes from './Run.module.css'

/** The checkpoints that are kept: to be had here, or said where they lie. */
export function Artifacts({ run }: { run: RunDetail }) {
  const { data } = useQuery(checkpointsQuery(run.id))
  if (!data) return null
  return (
    <section aria-label="Artifacts">
      <h2 className="section">Artifacts</h2>
      {data.length === 0 && <p className="secondary">{run.status === 'running' || run.status === 'queued' ? 'The first checkpoint has not been written yet.' : 'No checkpoint was kept.'}</p>}
      <ul className={classes.artifacts}>
        {data.map((entry) => (
          <li key={`${entry.attempt} ${entry.step}`}>
            <div className="spread">
              {entry.url ? (
                <a href={entry.url} download className={classes.file}>
                  <Icon name="download" size={14} /> {nameOf(entry)}
                </a>
              ) : (
                <span>{nameOf(entry)}</span>
              )}
              <span className="secondary num">{bytes(entry.bytes)}</span>
            </div>
            {!entry.url && <Elsewhere entry={entry} />}
          </li>
        ))}
      </ul>
    </section>
  )
}

function nameOf({ step, epoch, best }: CheckpointEntry): string {
  return `${epoch > 0 ? `epoch ${fixed(epoch, epoch < 10 ? 1 : 0)}, ` : ''}step ${count(step)}${best ? ', best on validation' : ''}`
}

function Elsewhere({ entry }: { entry: CheckpointEntry }) {
  const place = entry.host ? `${entry.host}:${entry.path}` : entry.path
  return (
    <p className={`secondary ${classes.place}`}>
      {entry.host ? `On the disk of ${entry.host}, which this server does not read: ` : 'In the shared store: '}
      <span className="mono">{place}</span>{' '}
      <CopyButton value={place}>
        {({ copied, copy }) => (
          <button type="button" className="link" onClick={copy}>
            {copied ? 'Copied' : 'Copy'}
          </button>
        )}
      </CopyButton>
    </p>
  )
}
