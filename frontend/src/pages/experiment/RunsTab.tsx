import { Control } from '../../components/FigureControls'
import { RunList, searchOf, viewOf } from '../../components/runs/RunList'
import classes from '../../components/runs/Runs.module.css'
import type { TabProps } from './ExperimentPage'
import { selectorOf, useExperimentSearch } from './useExperimentSearch'

/** The runs of the experiment: filter, sort, choose columns, compare, export. */
export default function RunsTab({ experiment }: TabProps) {
  const [search, change] = useExperimentSearch()
  return (
    <>
      <RunList experiment={experiment.id} view={viewOf(search)} change={(changed) => change(searchOf(changed), 'filter' in changed)} selector={selectorOf(search)}>
        <Control option="value" values={['last3', 'last', 'best_validation']} value={search.value ?? 'last3'} onChoose={(v) => change({ value: v === 'last3' ? undefined : v })} />
        <Control option="averaging" values={['per_image', 'pooled']} value={search.averaging ?? 'per_image'} onChoose={(v) => change({ averaging: v === 'per_image' ? undefined : v })} />
      </RunList>
      <p className={classes.note}>One run against one run says nothing about the loss: the figures and the results table average over seeds.</p>
    </>
  )
}
