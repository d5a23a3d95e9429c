import { Button, NumberInput, Popover, SegmentedControl, Switch } from '@mantine/core'

import { FigureControls } from '../../components/FigureControls'
import figureClasses from '../../components/FigurePanel.module.css'
import { Icon } from '../../components/icons'
import { SmoothingSlider } from '../../components/SmoothingSlider'
import { useLosses } from '../../components/useLosses'
import type { Align } from '../../lib/crosshair'
import { parseWeight } from '../../lib/smoothing'
import classes from './Convergence.module.css'
import type { Given } from './FigureTab'
import { GroupControl } from './GroupControl'
import { useExperimentSearch } from './useExperimentSearch'

const FIRST = ['metric', 'x', 'band']
const SECOND = ['dataset', 'encoder', 'y_log']
/** What is chosen once, if ever. */
const MORE = ['value', 'averaging', 'protocol', 'x_log', 'published']
const IN_TIME = ['hours', 'wall', 'gpu']

function only(options: Record<string, string[]>, keep: (option: string) => boolean) {
  return Object.fromEntries(Object.entries(options).filter(([option]) => keep(option)))
}

/** What is looked at in the first line, then how it is averaged and compared. */
export function ConvergenceControls({ given, onSmooth }: { given: Given; onSmooth: (weight: number) => void }) {
  const [search, change] = useExperimentSearch()
  const { options, drawn, onChoose } = given
  const align: Align = search.align === 'images' ? 'images' : 'share'
  const time = IN_TIME.includes(String(search.x))
  return (
    <>
      <FigureControls {...given} options={only(options, (option) => FIRST.includes(option))} />
      <SmoothingSlider weight={parseWeight(search.smoothing)} onMove={onSmooth} onChoose={(weight) => change({ smoothing: weight || undefined })} />
      <div className={figureClasses.control}>
        <span className={figureClasses.name} aria-hidden>
          Crosshair at equal
        </span>
        <SegmentedControl
          aria-label="Crosshair at equal"
          data={[
            { value: 'share', label: 'Budget share' },
            { value: 'images', label: time ? 'Hours' : 'Images' },
          ]}
          value={align}
          onChange={(value) => change({ align: value === 'share' ? undefined : value, at: undefined })}
        />
      </div>
      {drawn.group && <GroupControl {...drawn.group} onChoose={(group) => onChoose('group', group)} />}
      <Target />
      <FigureControls {...given} options={only(options, (option) => SECOND.includes(option))} />
      <More given={given} />
    </>
  )
}

function More({ given }: { given: Given }) {
  const [search, change] = useExperimentSearch()
  const chosen = [...MORE, 'sync'].filter((option) => search[option] !== undefined).length
  return (
    <Popover position="bottom-end">
      <Popover.Target>
        <Button variant="default" fw={400} leftSection={<Icon name="sliders" size={14} />}>
          More{chosen > 0 && `, ${chosen} chosen`}
        </Button>
      </Popover.Target>
      <Popover.Dropdown className={classes.more}>
        <FigureControls {...given} options={only(given.options, (option) => MORE.includes(option))} />
        <Switch label="Zoom all panels together" checked={search.sync !== 'no'} onChange={(event) => change({ sync: event.currentTarget.checked ? undefined : 'no' })} />
      </Popover.Dropdown>
    </Popover>
  )
}

/** A value to reach, in the metric's unit. */
function Target() {
  const [search, change] = useExperimentSearch()
  const metric = useLosses().metric(String(search.metric ?? 'mae'))
  const share = metric?.unit === '%'
  const keep = (value: string | number) => change({ target: value === '' || !Number.isFinite(Number(value)) ? undefined : Number(value) }, true)
  return (
    <div className={figureClasses.control}>
      <span className={figureClasses.name} aria-hidden>
        Target
      </span>
      <NumberInput
        aria-label={`Target${metric?.unit ? ` in ${metric.unit}` : ''}`}
        placeholder="none"
        w={92}
        value={typeof search.target === 'number' ? search.target : ''}
        onChange={keep}
        step={share ? 1 : 0.01}
        decimalScale={6}
        stepHoldDelay={400}
        stepHoldInterval={80}
        suffix={metric?.unit ? ` ${metric.unit}` : ''}
      />
    </div>
  )
}
