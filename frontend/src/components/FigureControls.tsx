import { SegmentedControl, Select, Switch } from '@mantine/core'

import { useLosses, type Losses } from './useLosses'
import type { Choices } from '../lib/figure'
import { count, metricTitle } from '../lib/format'
import { own } from '../lib/own'
import classes from './FigurePanel.module.css'

const OPTION_TITLES: Record<string, string> = {
  key: 'Curve',
  metric: 'Metric',
  x: 'X',
  band: 'Band',
  x_log: 'Log x',
  y_log: 'Log y',
  value: 'Value',
  averaging: 'Average',
  encoder: 'Encoder',
  train_size: 'Training images',
  seed: 'Seed',
  step: 'Step',
  published: 'Published values',
  dataset: 'Data',
  protocol: 'Protocol',
}

const VALUE_TITLES: Record<string, string> = {
  last3: 'Mean of last three',
  last: 'Last evaluation',
  best_validation: 'Best on validation',
  per_image: 'Per image',
  pooled: 'Pooled',
  epoch: 'Epoch',
  step: 'Step',
  images: 'Images',
  hours: 'Hours',
  wall: 'Wall hours',
  gpu: 'GPU hours',
  std: 'Std',
  se: 'SE',
  ci95: '95 % CI',
  minmax: 'Min–max',
  seeds: 'Seeds',
  none: 'None',
}

/** What a choice means, where its short name leaves it open. */
const VALUE_HINTS: Record<string, string> = {
  hours: 'Hours of training, without waits and lost work',
  wall: 'Hours since the run’s start, waits and lost work included',
  gpu: 'Hours of training times the GPUs of the run',
  std: 'Mean ± sample standard deviation',
  se: 'Mean ± standard error of the mean',
  ci95: '95 % confidence interval of the mean, by Student’s t',
  minmax: 'From the smallest to the largest run',
  seeds: 'Single runs as thin lines',
}

/** Options with controls of their own. */
const OWN = new Set(['group'])
const MOST_SEGMENTS = 6
const MOST_LETTERS = 44

/** Lists longer than this can be searched; a script may have logged thousands of keys. */
const SEARCHED = 12
const MOST_SHOWN = 200

export function optionTitle(option: string): string {
  return own(OPTION_TITLES, option) ?? option.replaceAll('_', ' ')
}

export function valueTitle(option: string, value: string, losses: Losses): string {
  if (option === 'metric') {
    const entry = losses.metric(value)
    return entry ? metricTitle(entry) : value
  }
  if (option === 'key') return value
  if (value === 'all') return 'All'
  if (option === 'encoder') return losses.encoder(value)
  if (option === 'train_size') return count(Number(value))
  return own(VALUE_TITLES, value) ?? value
}

interface Props {
  /** query parameter → its values, the default first */
  options: Record<string, string[]>
  chosen: Record<string, unknown>
  /** of the options that the figure chooses by itself */
  drawn?: Choices
  onChoose: (option: string, value: string | undefined) => void
}

/** One control an option, as the catalogue lists them: a switch, a few segments, or a list. */
export function FigureControls({ options, chosen, drawn = {}, onChoose }: Props) {
  const levels = Object.entries(options).map(([option, values]): [string, string[]] => [option, drawn[option]?.levels ?? values])
  return levels.filter(([option, values]) => values.length > 1 && !OWN.has(option)).map(([option, values]) => {
    const preset = drawn[option] ? undefined : values[0]
    const value = String(chosen[option] ?? drawn[option]?.shown ?? preset)
    const choose = (next: string) => onChoose(option, next === preset ? undefined : next)
    return <Control key={option} option={option} values={values} value={value} onChoose={choose} />
  })
}

interface ControlProps {
  option: string
  values: string[]
  value: string
  onChoose: (value: string) => void
}

export function Control({ option, values, value, onChoose }: ControlProps) {
  const losses = useLosses()
  const title = optionTitle(option)
  const data = values.map((v) => ({ value: v, label: valueTitle(option, v, losses) }))
  const segments = data.map((item) => ({ ...item, label: VALUE_HINTS[item.value] ? <span title={VALUE_HINTS[item.value]}>{item.label}</span> : item.label }))
  const on = ['yes', 'true'].find((word) => values.includes(word))
  if (on && values.length === 2) {
    const off = values.find((word) => word !== on)!
    return <Switch label={title} checked={value === on} onChange={(event) => onChoose(event.currentTarget.checked ? on : off)} />
  }
  const letters = data.reduce((sum, item) => sum + item.label.length, 0)
  return (
    <div className={classes.control}>
      <span className={classes.name} aria-hidden>
        {title}
      </span>
      {values.length <= MOST_SEGMENTS && letters < MOST_LETTERS ? (
        <SegmentedControl aria-label={title} data={segments} value={value} onChange={onChoose} />
      ) : (
        <Select
          aria-label={title}
          data={data}
          value={value}
          onChange={(next) => next && onChoose(next)}
          searchable={data.length > SEARCHED}
          limit={MOST_SHOWN}
          w={Math.min(220, 60 + 7 * Math.max(...data.map((d) => d.label.length)))}
        />
      )}
    </div>
  )
}
