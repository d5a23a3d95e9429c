import { useQuery } from '@tanstack/react-query'
import type { ReactNode } from 'react'

import { figureQuery, figuresQuery, type FigureOptions } from '../../api/queries'
import type { ExperimentDetail } from '../../api/types'
import { FigureControls } from '../../components/FigureControls'
import { useScheme } from '../../components/useScheme'
import { choices } from '../../lib/figure'
import type { ExperimentSearch } from '../../router'
import classes from './Experiment.module.css'
import { useExperimentSearch } from './useExperimentSearch'

/** The options of a figure that the address sets apart from their defaults, as the API takes them. */
export function figureOptions(options: Record<string, string[]>, search: ExperimentSearch): FigureOptions {
  const chosen = Object.keys(options).flatMap((option) => (search[option] === undefined ? [] : [[option, String(search[option])]]))
  return Object.fromEntries(chosen)
}

interface Props {
  experiment: ExperimentDetail
  name: string
  children: (options: FigureOptions) => ReactNode
}

/** Controls as the catalogue lists them, over the figure they control. */
export function FigureTab({ experiment, name, children }: Props) {
  const [search, change] = useExperimentSearch()
  const entry = useQuery(figuresQuery(experiment.id)).data?.find((figure) => figure.name === name)
  const options = entry ? figureOptions(entry.options, search) : {}
  const figure = useQuery(figureQuery(experiment.id, name, useScheme(), options)).data
  // Other data may not have the size that was chosen for these.
  const choose = (option: string, value?: string) => change(option === 'dataset' ? { dataset: value, train_size: undefined } : { [option]: value })
  return (
    <>
      <div className={classes.controls}>{entry && <FigureControls options={entry.options} chosen={search} drawn={choices(figure)} onChoose={choose} />}</div>
      {children(options)}
    </>
  )
}
