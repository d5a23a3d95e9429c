import { Button, Checkbox, Popover } from '@mantine/core'

import { Icon } from '../../components/icons'
import figureClasses from '../../components/FigurePanel.module.css'
import classes from './Convergence.module.css'

const TITLES: Record<string, string> = { loss: 'Loss', size: 'Dataset size', encoder: 'Encoder', dataset: 'Dataset', seed: 'Seed' }

interface Props {
  /** the factors in which the runs differ */
  levels: string[]
  /** those that tell lines apart, with commas */
  shown: string
  onChoose: (group: string | undefined) => void
}

/** What tells lines apart; over everything else the mean is taken. */
export function GroupControl({ levels, shown, onChoose }: Props) {
  const chosen = levels.filter((level) => shown.split(',').includes(level))
  const preset = levels.filter((level) => level !== 'seed')
  const choose = (next: string[]) => {
    const kept = levels.filter((level) => next.includes(level))
    if (kept.length > 0) onChoose(kept.join() === preset.join() ? undefined : kept.join(','))
  }
  if (levels.length < 2) return null
  const averaged = levels.filter((level) => !chosen.includes(level)).map((level) => title(level).toLowerCase())
  return (
    <div className={figureClasses.control}>
      <span className={figureClasses.name} aria-hidden>
        Mean over
      </span>
      <Popover position="bottom-start">
        <Popover.Target>
          <Button variant="default" fw={400} rightSection={<Icon name="down" size={14} />} aria-label={`Mean over ${averaged.join(', ') || 'nothing'}. Choose what tells lines apart`}>
            {averaged.join(', ') || 'nothing'}
          </Button>
        </Popover.Target>
        <Popover.Dropdown className={classes.group}>
          <Checkbox.Group label="A line for each" description="The mean is taken over the rest, exactly" value={chosen} onChange={choose}>
            {levels.map((level) => (
              <Checkbox key={level} value={level} label={title(level)} disabled={chosen.length === 1 && chosen[0] === level} />
            ))}
          </Checkbox.Group>
        </Popover.Dropdown>
      </Popover>
    </div>
  )
}

function title(level: string): string {
  return TITLES[level] ?? level
}
