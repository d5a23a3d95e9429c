import type { RunDetail } from '../../api/types'
import { count, plural, settingValue } from '../../lib/format'
import { isRecord } from '../../lib/spec'
import classes from './Run.module.css'

type Fact = [name: string, value: unknown]

/** What determined the result besides the configuration: code and data in sight, machine and libraries on demand. */
export function Provenance({ run }: { run: RunDetail }) {
  const told = run.provenance ?? {}
  const libraries: Fact[] = isRecord(told.libraries) ? Object.entries(told.libraries) : []
  const initialisation: Fact[] = isRecord(told.initialisation) ? Object.entries(told.initialisation) : []
  return (
    <section aria-label="Provenance">
      <h2 className="section">Provenance</h2>
      {!run.provenance && <p className="secondary">Recorded when the first attempt begins.</p>}
      <Facts
        facts={[
          ['code', told.code_version],
          ['training', `version ${run.training_version}`],
          ['data', run.data_fingerprint.slice(0, 12)],
          ['run', run.identity.slice(0, 12)],
          ['parameters', told.parameters],
          ['train images', told.train_images],
          ['test images', told.evaluation_images],
          ...initialisation,
        ]}
      />
      {run.provenance && (
        <details className={classes.more}>
          <summary>Environment{libraries.length > 0 && `, ${plural(libraries.length, 'package')}`}</summary>
          <Facts
            facts={[
              ['host', told.host],
              ['device', told.device],
              ['processor', told.processor],
              ['threads', told.threads],
              ['precision', told.precision],
              ['deterministic', told.deterministic],
              ['processes', told.processes === 1 ? undefined : told.processes],
              ['python', told.python],
              ['torch build', told.torch_build],
              ['first batches sha256', told.first_batches_sha256],
              ...libraries,
            ]}
          />
        </details>
      )}
    </section>
  )
}

function Facts({ facts }: { facts: Fact[] }) {
  return (
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
  )
}

function factText(value: unknown): string {
  if (typeof value === 'string' && /^[0-9a-f]{64}$/.test(value)) return value.slice(0, 12)
  if (Array.isArray(value)) return value.length > 3 ? `${count(value.length)} names` : value.join(', ')
  return settingValue(value)
}
