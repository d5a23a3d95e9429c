import { Skeleton, Textarea, TextInput } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { useNavigate } from '@tanstack/react-router'

import { catalogueQuery } from '../../api/queries'
import type { Catalogue, Spec } from '../../api/types'
import { ErrorPanel, PanelBoundary } from '../../components/ErrorPanel'
import { Icon } from '../../components/icons'
import { PageHeader } from '../../components/PageHeader'
import { YamlEditor } from '../../components/Yaml'
import { newRoute } from '../../router'
import { AlsoGrids } from './AlsoGrids'
import { DataSection } from './DataSection'
import { FormProvider, makeForm, useDraft, useForm, useInitial, type Draft } from './draft'
import { DryRunColumn } from './DryRunColumn'
import { EncoderSection } from './EncoderSection'
import { HeldConstant } from './HeldConstant'
import { LossSection } from './LossSection'
import classes from './New.module.css'
import { OtherFactors } from './OtherFactors'
import { Line } from './Line'
import { SeedSection } from './SeedSection'
import { SizeSection } from './SizeSection'
import { useDryRun } from './useDryRun'

export function NewExperimentPage() {
  const search = newRoute.useSearch()
  const catalogue = useQuery(catalogueQuery())
  const initial = useInitial(search)
  return (
    <>
      <PageHeader crumbs={[{ label: 'Experiments', to: { to: '/' } }]} title="New experiment" tabTitle="New experiment" />
      <div className={classes.page}>
        {initial.error !== null && <ErrorPanel error={initial.error} what="There is nothing to start from." />}
        {!initial.spec && !initial.error && <Skeleton height={480} animate={false} />}
        {initial.spec && catalogue.data && <Columns key={search.from} initial={initial.spec} catalogue={catalogue.data} />}
      </div>
    </>
  )
}

/** Choose, read, pay. */
function Columns({ initial, catalogue }: { initial: Spec; catalogue: Catalogue }) {
  const draft = useDraft(initial)
  const dry = useDryRun(draft)
  return (
    <FormProvider value={makeForm(draft, catalogue, dry.error)}>
      <div className={classes.columns}>
        <PanelBoundary>
          <Choose />
        </PanelBoundary>
        <YamlColumn draft={draft} valid={dry.data !== undefined && !dry.error && !dry.waiting} />
        <PanelBoundary>
          <DryRunColumn draft={draft} dry={dry} />
        </PanelBoundary>
      </div>
    </FormProvider>
  )
}

function Choose() {
  const { spec, change, catalogue, faultAt } = useForm()
  return (
    <section aria-label="Choose" className={classes.choose}>
      <StartFrom catalogue={catalogue} />
      <Line label="Name" htmlFor="experiment-name">
        <TextInput id="experiment-name" value={String(spec.name ?? '')} maxLength={200} error={faultAt('name')} onChange={(event) => change({ ...spec, name: event.currentTarget.value })} />
      </Line>
      <Line label="Description" htmlFor="experiment-description">
        <Textarea
          id="experiment-description"
          autosize
          minRows={1}
          maxRows={6}
          placeholder="What is asked, in a sentence"
          value={String(spec.description ?? '')}
          onChange={(event) => change({ ...spec, description: event.currentTarget.value })}
        />
      </Line>
      <DataSection />
      <LossSection />
      <SizeSection />
      <EncoderSection />
      <SeedSection />
      <OtherFactors />
      <AlsoGrids />
      <HeldConstant />
    </section>
  )
}

function StartFrom({ catalogue }: { catalogue: Catalogue }) {
  const { change } = useForm()
  const search = newRoute.useSearch()
  const navigate = useNavigate()
  const presets = catalogue.presets.map((preset) => ({ value: preset.name, label: preset.title }))
  const data = search.from === undefined ? presets : [{ value: '', label: `Experiment ${search.from}` }, ...presets]
  const value = search.from === undefined ? (search.preset ?? catalogue.presets[0]?.name ?? '') : ''
  const chosen = catalogue.presets.find((preset) => preset.name === value)
  const start = (name: string) => {
    const preset = catalogue.presets.find((p) => p.name === name)
    if (!preset) return
    change(preset.spec as Spec)
    void navigate({ to: '/experiments/new', search: { preset: name }, replace: true })
  }
  return (
    <Line label="Start from" hint={chosen?.description}>
      <div className={classes.chips} role="radiogroup" aria-label="Start from">
        {data.map((item) => (
          <button
            key={item.value}
            type="button"
            role="radio"
            aria-checked={item.value === value}
            className={classes.toggle}
            onClick={() => start(item.value)}
          >
            {item.label}
          </button>
        ))}
      </div>
    </Line>
  )
}

function YamlColumn({ draft, valid }: { draft: Draft; valid: boolean }) {
  const { fault } = draft
  return (
    <section aria-label="YAML" className={classes.yaml}>
      <div className="spread">
        <h2 className="section">YAML</h2>
        {fault ? (
          <span className={classes.bad}>{fault.line ? `line ${fault.line}` : 'not readable'}</span>
        ) : (
          valid && (
            <span className={classes.ok}>
              <Icon name="check" size={14} /> Valid
            </span>
          )
        )}
      </div>
      <div className={classes.editor}>
        <YamlEditor text={draft.text} onChange={draft.type} onBlur={draft.tidy} marked={draft.marked} label="The experiment as YAML" invalid={fault !== null} />
      </div>
      <p className="secondary">{fault ? fault.error : 'Form and text stay in step. Lines that the last change touched are tinted.'}</p>
    </section>
  )
}
