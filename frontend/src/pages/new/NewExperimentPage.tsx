import { Skeleton, Textarea, TextInput } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'

import { catalogueQuery } from '../../api/queries'
import type { Catalogue } from '../../api/types'
import { ErrorPanel, PanelBoundary } from '../../components/ErrorPanel'
import { Icon } from '../../components/icons'
import { PageHeader, type Crumb } from '../../components/PageHeader'
import { useNow } from '../../components/useNow'
import { YamlEditor } from '../../components/Yaml'
import { ago } from '../../lib/format'
import { newRoute } from '../../router'
import { AlsoGrids } from './AlsoGrids'
import { DataSection } from './DataSection'
import { FormProvider, makeForm, useDraft, type Draft, useForm } from './draft'
import { DryRunColumn } from './DryRunColumn'
import { EncoderSection } from './EncoderSection'
import { HeldConstant } from './HeldConstant'
import { LossSection } from './LossSection'
import classes from './New.module.css'
import { OtherFactors } from './OtherFactors'
import { Line } from './Line'
import { SeedSection } from './SeedSection'
import { SizeSection } from './SizeSection'
import { useStart, type Start } from './start'
import { StartFrom } from './StartFrom'
import { useDryRun } from './useDryRun'

export function NewExperimentPage() {
  const search = newRoute.useSearch()
  const catalogue = useQuery(catalogueQuery())
  const { start, error } = useStart(search)
  if (start && catalogue.data) return <Columns key={`${search.from} ${search.run} ${search.loss}`} start={start} catalogue={catalogue.data} />
  return (
    <>
      <PageHeader crumbs={CRUMBS} title="New experiment" tabTitle="New experiment" />
      <div className={classes.page}>{error ? <ErrorPanel error={error} what="There is nothing to start from." /> : <Skeleton height={480} animate={false} />}</div>
    </>
  )
}

const CRUMBS: Crumb[] = [{ label: 'Experiments', to: { to: '/' } }]

/** Choose, read, pay. */
function Columns({ start, catalogue }: { start: Start; catalogue: Catalogue }) {
  const draft = useDraft(start)
  const dry = useDryRun(draft)
  return (
    <FormProvider value={makeForm(draft, catalogue, dry.error)}>
      <PageHeader crumbs={CRUMBS} title="New experiment" tabTitle="New experiment" actions={<Saved at={draft.saved} />} />
      <div className={classes.page}>
        <div className={classes.columns}>
          <PanelBoundary>
            <Choose draft={draft} />
          </PanelBoundary>
          <YamlColumn draft={draft} valid={dry.data !== undefined && !dry.error && !dry.waiting} />
          <PanelBoundary>
            <DryRunColumn draft={draft} dry={dry} />
          </PanelBoundary>
        </div>
      </div>
    </FormProvider>
  )
}

/** That nothing typed here is lost when the page is left. */
function Saved({ at }: { at: number | null }) {
  const now = useNow(at !== null)
  if (at === null) return null
  return <span className="secondary num">Draft saved {ago(new Date(at).toISOString(), Math.max(now, at))}</span>
}

function Choose({ draft }: { draft: Draft }) {
  const { spec, change, faultAt } = useForm()
  return (
    <section aria-label="Choose" className={classes.choose}>
      <StartFrom draft={draft} />
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
