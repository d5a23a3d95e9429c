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

/** What was set for this cell, and what it shares with the other runs. */
export function Configuration({ run, experiment }: { run: RunDetail; experiment: ExperimentDetail | undefined }) {
  const factors = experiment?.factors
  const { cell, shared } = useMemo(() => splitConfiguration(run.config, [...Object.keys(factors ?? {}), ...ALWAYS]), [run.config, factors])
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
      <Settings settings={shared} />
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
      <Settings settings={settings} strong />
    </section>
  )
}

function Settings({ settings, strong = false }: { settings: Setting[]; strong?: boolean }) {
  const names = settingNames(settings)
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
