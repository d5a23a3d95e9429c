import { Skeleton } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import type { ReactNode } from 'react'

import { figureQuery, figuresQuery, type FigureOptions } from '../../api/queries'
import type { ExperimentDetail } from '../../api/types'
import { FigureControls } from '../../components/FigureControls'
import { useScheme } from '../../components/useScheme'
import { choices, type Choices } from '../../lib/figure'
import type { ExperimentSearch } from '../../router'
import classes from './Experiment.module.css'
import { useExperimentSearch } from './useExperimentSearch'

/** The options of a figure that the address sets apart from their defaults, as the API takes them. */
export function figureOptions(options: Record<string, string[]>, search: ExperimentSearch): FigureOptions {
  const chosen = Object.keys(options).flatMap((option) => (search[option] === undefined ? [] : [[option, String(search[option])]]))
  return Object.fromEntries(chosen)
}

/** What the page does itself, without asking: an export asks the API for it. */
const LOCAL = new Set(['smoothing', 'hidden', 'only', 'x_from', 'x_to'])

/** After these the axes are others, and after the second the lines are: what was chosen of them no longer fits. */
const OTHER_AXES = ['metric', 'key', 'x', 'x_log', 'y_log', 'protocol', 'averaging']
const OTHER_LINES = ['dataset', 'encoder', 'group', 'key', 'protocol']

function reset(option: string): Partial<ExperimentSearch> {
  return {
    ...(OTHER_AXES.includes(option) || OTHER_LINES.includes(option) ? { zoom: undefined } : {}),
    ...(OTHER_LINES.includes(option) ? { base: undefined, hidden: undefined, only: undefined } : {}),
    // Other data may not have the size that was chosen for these.
    ...(option === 'dataset' ? { train_size: undefined } : {}),
    ...(option === 'metric' ? { target: undefined } : {}),
  }
}

export interface Given {
  options: Record<string, string[]>
  chosen: ExperimentSearch
  drawn: Choices
  onChoose: (option: string, value?: string) => void
}

interface Props {
  experiment: ExperimentDetail
  name: string
  /** in place of one control an option */
  controls?: (given: Given) => ReactNode
  children: (options: FigureOptions) => ReactNode
}

/** Controls as the catalogue lists them, over the figure they control. */
export function FigureTab({ experiment, name, controls, children }: Props) {
  const [search, change] = useExperimentSearch()
  const entry = useQuery(figuresQuery(experiment.id)).data?.find((figure) => figure.name === name)
  const all = entry ? figureOptions(entry.options, search) : {}
  const options = Object.fromEntries(Object.entries(all).filter(([option]) => !LOCAL.has(option)))
  // A link with choices in it waits for what they mean, so that no other figure is asked for and seen first.
  const ready = entry !== undefined || Object.values(search).every((value) => value === undefined)
  const figure = useQuery({ ...figureQuery(experiment.id, name, useScheme(), options), enabled: ready }).data
  const onChoose = (option: string, value?: string) => change({ ...reset(option), [option]: value })
  const given = entry && { options: entry.options, chosen: search, drawn: choices(figure), onChoose }
  return (
    <>
      <div className={classes.controls}>{given && (controls ? controls(given) : <FigureControls {...given} />)}</div>
      {ready ? children(options) : <Skeleton height={420} radius="sm" animate={false} />}
    </>
  )
}
