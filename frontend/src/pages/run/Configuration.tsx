import { CopyButton } from '@mantine/core'
import { useMemo } from 'react'
import { stringify } from 'yaml'

import type { ExperimentDetail, RunDetail } from '../../api/types'
import { total } from '../../components/RunBar'
import { flatten, settingNames, splitConfiguration, type Setting } from '../../lib/configuration'
import { plural, settingValue } from '../../lib/format'
import { paramsOf } from '../../lib/script'
import classes from './Run.module.css'

/** What names a cell even where an experiment does not vary it. */
const ALWAYS = ['loss', 'data.train_size', 'network.encoder', 'seed']

/** What people look for first stands first. */
const GROUPS = ['optimiser', 'budget', 'data', 'network', 'evaluation', 'engine']

function ordered({ cell, shared }: { cell: Setting[]; shared: Setting[] }) {
  const rank = ([path]: Setting) => GROUPS.indexOf(path.split('.')[0]!) + Number(!GROUPS.includes(path.split('.')[0]!)) * GROUPS.length
  // What is not set says little: it stands last.
  const unset = ([, value]: Setting) => Number(value === null)
  return { cell, shared: shared.toSorted((a, b) => unset(a) - unset(b) || rank(a) - rank(b)) }
}

/** Settings shared by all runs that are shown at once. */
const SHOWN = 12

/** What was set for this cell, and what it shares with the other runs. */
export function Configuration({ run, experiment }: { run: RunDetail; experiment: ExperimentDetail | undefined }) {
  const factors = experiment?.factors
  const { cell, shared } = useMemo(() => ordered(splitConfiguration(run.config, [...Object.keys(factors ?? {}), ...ALWAYS])), [run.config, factors])
  return (
    <section aria-label="Configuration">
      <div className="spread">
        <h2 className="section">Configuration</h2>
        <CopyButton value={stringify(run.config)}>
          {({ copied, copy }) => (
            <button type="button" className="link" onClick={copy}>
              {copied ? 'Copied' : 'Copy YAML'}
            </button>
          )}
        </CopyButton>
      </div>
      <p className="secondary">Set for this cell</p>
      <Settings settings={cell} strong />
      <p className="secondary">{experiment ? sharedWords(total(experiment.counts)) : 'Shared'}</p>
      <Settings settings={shared.slice(0, SHOWN)} />
      {shared.length > SHOWN && (
        <details className={classes.more}>
          <summary>{plural(shared.length - SHOWN, 'more setting')}</summary>
          <Settings settings={shared.slice(SHOWN)} />
        </details>
      )}
    </section>
  )
}

/** What a script said of itself. */
export function Parameters({ run }: { run: RunDetail }) {
  const settings = flatten(paramsOf(run))
  if (settings.length === 0) return null
  return (
    <section aria-label="Parameters">
      <h2 className="section">Parameters</h2>
      <Settings settings={settings} strong plain />
    </section>
  )
}

function Settings({ settings, strong = false, plain = false }: { settings: Setting[]; strong?: boolean; plain?: boolean }) {
  const names = plain ? settings.map(([path]) => path) : settingNames(settings)
  return (
    <dl className={classes.facts} data-strong={strong || undefined}>
      {settings.map(([path, value], i) => (
        <div key={path} title={path}>
          <dt>{names[i]}</dt>
          <dd className="num">{path === 'seed' ? String(value) : settingValue(value)}</dd>
        </div>
      ))}
    </dl>
  )
}

function sharedWords(runs: number): string {
  return runs === 1 ? 'Of the only run' : `The same in all ${plural(runs, 'run')}`
}
