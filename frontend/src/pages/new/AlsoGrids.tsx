import { ActionIcon } from '@mantine/core'

import { Icon } from '../../components/icons'
import { useLosses } from '../../components/useLosses'
import { factorWords } from '../../lib/experiment'
import { alsoGrids } from '../../lib/spec'
import { useForm } from './draft'
import { Line } from './Line'
import classes from './New.module.css'

/** Further grids of the same experiment, such as one more encoder at one size; they are written in the YAML. */
export function AlsoGrids() {
  const { spec, change } = useForm()
  const losses = useLosses()
  const grids = alsoGrids(spec)
  if (grids.length === 0) return null
  const remove = (index: number) => change({ ...spec, also: (spec.also as unknown[]).filter((_, i) => i !== index) })
  return (
    <Line label="And also" hint="Further grids are edited in the YAML.">
      <ul className={classes.also}>
        {grids.map((grid, i) => (
          <li key={i} className="row">
            <span className={classes.grow}>{factorWords(grid.factors, losses)}</span>
            <ActionIcon variant="subtle" color="gray" aria-label="Remove this grid" onClick={() => remove(i)}>
              <Icon name="close" size={14} />
            </ActionIcon>
          </li>
        ))}
      </ul>
    </Line>
  )
}
