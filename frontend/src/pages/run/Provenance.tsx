import type { RunDetail } from '../../api/types'
import { count, settingValue } from '../../lib/format'
import { isRecord } from '../../lib/spec'
import classes from './Run.module.css'

/** What determined the result besides the configuration: code, libraries, machine, data. */
export function Provenance({ run }: { run: RunDetail }) {
  const told = run.provenance ?? {}
  const libraries = isRecord(told.libraries) ? Object.entries(told.libraries) : []
  const initialisation = isRecord(told.initialisation) ? Object.entries(told.initialisation) : []
  const facts: [string, unknown][] = [
    ['code', told.code_version],
    ['training', `version ${run.training_version}`],
    ['data', run.data_fingerprint.slice(0, 12)],
    ['run', run.identity.slice(0, 12)],
    ['host', told.host],
    ['device', told.device],
    ['processor', told.processor],
    ['threads', told.threads],
    ['precision', told.precision],
    ['deterministic', told.deterministic],
    ['processes', told.processes === 1 ? undefined : told.processes],
    ['torch build', told.torch_build],
    ['python', told.python],
    ['parameters', told.parameters],
    ['train images', told.train_images],
    ['test images', told.evaluation_images],
    ['first batches sha256', told.first_batches_sha256],
    ...initialisation,
    ...libraries,
  ]
  return (
    <section aria-label="Provenance">
      <h2 className="section">Provenance</h2>
      {!run.provenance && <p className="secondary">Recorded when the first attempt begins.</p>}
      <dl className={classes.facts}>
        {facts.map(([name, value]) =>
          value === undefined || value === null || value === '' ? null : (
            <div key={name}>
              <dt>{name.replaceAll('_', ' ')}</dt>
              <dd className={typeof value === 'number' ? 'num' : 'mono'} title={String(value)}>
                {factText(value)}
              </dd>
            </div>
          ),
        )}
      </dl>
    </section>
  )
}

function factText(value: unknown): string {
  if (Array.isArray(value)) return value.length > 3 ? `${count(value.length)} names` : value.join(', ')
  return settingValue(value)
}
