import { short } from '../../lib/format'
import { findField } from '../../lib/schema'
import { levelsOf, setLevels } from '../../lib/spec'
import { ToggleChip } from './Chip'
import { useForm } from './draft'
import { Line } from './Line'
import classes from './New.module.css'

const PATH = 'network.encoder'

export function EncoderSection() {
  const { spec, change, catalogue, fields, faultAt } = useForm()
  const chosen = levelsOf(spec, PATH) ?? [findField(fields, PATH)?.default]
  const toggle = (name: string) => {
    const next = chosen.includes(name) ? chosen.filter((other) => other !== name) : catalogue.encoders.map((e) => e.name).filter((n) => n === name || chosen.includes(n))
    if (next.length > 0) change(setLevels(spec, PATH, next))
  }
  return (
    <Line label="Encoders" fault={faultAt(PATH)}>
      <div className={classes.chips}>
        {catalogue.encoders.map((encoder) => (
          <ToggleChip
            key={encoder.name}
            label={encoder.title}
            detail={short(encoder.parameters)}
            title={encoder.description}
            checked={chosen.includes(encoder.name)}
            onToggle={() => toggle(encoder.name)}
          />
        ))}
      </div>
    </Line>
  )
}
