import { NumberInput } from '@mantine/core'

import { levelsOf, setLevels } from '../../lib/spec'
import { useForm } from './draft'
import { Line } from './Line'

const PATH = 'seed'
const MOST = 50

/** How many seeds; numbers count on from the largest there is, others are written in the YAML. */
export function SeedSection() {
  const { spec, change, faultAt } = useForm()
  const seeds = (levelsOf(spec, PATH) ?? [0]).map(Number)
  const resize = (n: string | number) => {
    if (typeof n !== 'number' || n < 1 || n > MOST) return
    const top = Math.max(-1, ...seeds)
    const more = Array.from({ length: Math.max(0, n - seeds.length) }, (_, i) => top + 1 + i)
    change(setLevels(spec, PATH, [...seeds.slice(0, n), ...more]))
  }
  return (
    <Line label="Seeds" fault={faultAt(PATH)} hint={seeds.length === 1 ? 'One seed has no spread: nothing can be said about a difference between losses.' : undefined}>
      <span className="row">
        <NumberInput aria-label="Number of seeds" w={80} min={1} max={MOST} allowDecimal={false} value={seeds.length} onChange={resize} />
        <span className="secondary num ellipsis">{seeds.join(', ')}</span>
      </span>
    </Line>
  )
}
