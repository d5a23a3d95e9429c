import { Control } from '../../components/FigureControls'
import { RunList } from '../../components/RunList'
import expClasses from './Experiment.module.css'
import type { TabProps } from './ExperimentPage'
import classes from './Runs.module.css'
import { selectorOf, useExperimentSearch } from './useExperimentSearch'

/** The runs of the experiment: filter, sort, open, export. */
export default function RunsTab({ experiment }: TabProps) {
  const [search, change] = useExperimentSearch()
  const choice = { filter: search.q === undefined ? undefined : String(search.q), sort: search.sort, page: typeof search.page === 'number' ? search.page : undefined }
  return (
    <>
      <RunList
        experiment={experiment.id}
        choice={choice}
        change={({ filter, sort, page }) => change({ q: filter, sort, page }, true)}
        selector={selectorOf(search)}
        factors={Object.keys(experiment.factors)}
        controlsClass={expClasses.controls}
      >
        <Control option="value" values={['last3', 'last', 'best_validation']} value={search.value ?? 'last3'} onChoose={(v) => change({ value: v === 'last3' ? undefined : v })} />
        <Control option="averaging" values={['per_image', 'pooled']} value={search.averaging ?? 'per_image'} onChoose={(v) => change({ averaging: v === 'per_image' ? undefined : v })} />
      </RunList>
      <p className={classes.note}>One run against one run says nothing about the loss: the figures and the results table average over seeds.</p>
    </>
  )
}
