import { ActionIcon, Checkbox, NumberInput, Popover } from '@mantine/core'

import type { LossEntry } from '../../api/types'
import { Formula } from '../../components/Formula'
import { Icon } from '../../components/icons'
import { LossGlyph } from '../../components/LossGlyph'
import { compareLosses } from '../../lib/losses'
import { fieldsOf, type JsonSchema, type NumberField } from '../../lib/schema'
import { lossLevels, writeLosses, type LossLevel } from '../../lib/spec'
import { useForm } from './draft'
import classes from './New.module.css'

/** The losses that are compared, each with its formula and parameters; one can stand in the list several times. */
export function LossSection() {
  const { spec, change, catalogue, faultAt } = useForm()
  const levels = lossLevels(spec)
  const all = catalogue.losses.map((loss) => loss.name)
  const fault = faultAt('loss')
  return (
    <section aria-label="Losses" className={classes.losses}>
      <div className="spread">
        <h2 className="section">
          Losses <span className={classes.quiet}>{levels.length === new Set(levels.map((l) => l.name)).size ? `${levels.length} of ${all.length}` : `${levels.length} settings`}</span>
        </h2>
        <button type="button" className="link" onClick={() => change(writeLosses(spec, all.map((name) => levels.find((level) => level.name === name) ?? { name })))}>
          All {all.length}
        </button>
      </div>
      {fault && (
        <p className={classes.fault} role="alert">
          {fault}
        </p>
      )}
      <ul>
        {catalogue.losses.map((loss) => (
          <LossRows key={loss.name} loss={loss} levels={levels} onChange={(next) => change(writeLosses(spec, next))} />
        ))}
      </ul>
    </section>
  )
}

interface RowsProps {
  loss: LossEntry
  levels: LossLevel[]
  onChange: (levels: LossLevel[]) => void
}

function LossRows({ loss, levels, onChange }: RowsProps) {
  const own = levels.map((level, index) => ({ level, index })).filter(({ level }) => level.name === loss.name)
  const toggle = () => onChange(own.length > 0 ? levels.filter((level) => level.name !== loss.name) : insertInOrder(levels, { name: loss.name }))
  const set = (index: number, level: LossLevel) => onChange(levels.map((old, i) => (i === index ? level : old)))
  if (own.length === 0) return <LossRow loss={loss} onToggle={toggle} />
  return own.map(({ level, index }, i) => (
    <LossRow
      key={index}
      loss={loss}
      level={level}
      first={i === 0}
      onToggle={i === 0 && own.length === 1 ? toggle : () => onChange(levels.filter((_, at) => at !== index))}
      onLevel={(next) => set(index, next)}
      onAgain={(other) => onChange(levels.toSpliced(index + 1, 0, other))}
    />
  ))
}

/** A loss that is ticked goes where the paper's order puts it. */
function insertInOrder(levels: LossLevel[], level: LossLevel): LossLevel[] {
  const before = levels.findIndex((other) => compareLosses(other.name, level.name) > 0)
  return before < 0 ? [...levels, level] : levels.toSpliced(before, 0, level)
}

interface RowProps {
  loss: LossEntry
  level?: LossLevel
  first?: boolean
  onToggle: () => void
  onLevel?: (level: LossLevel) => void
  onAgain?: (other: LossLevel) => void
}

function LossRow({ loss, level, first = true, onToggle, onLevel, onAgain }: RowProps) {
  const fields = fieldsOf(loss.json_schema as JsonSchema).filter((field): field is NumberField => field.kind === 'number' || field.kind === 'integer')
  const own = fields.filter((field) => field.path !== 'weight')
  const main = own.find((field) => level?.[field.path] !== undefined) ?? own.find((field) => !field.nullable) ?? own[0]
  return (
    <li className={classes.loss} data-off={!level || undefined}>
      <Checkbox checked={Boolean(level)} onChange={onToggle} aria-label={first ? loss.title : `${loss.title}, further setting`} />
      <LossGlyph name={loss.name} line />
      <span className={classes.lossName} title={loss.description}>
        {loss.title}
      </span>
      <span className={classes.formula}>{first && <Formula latex={loss.formula} />}</span>
      {level && onLevel && (
        <span className={classes.parameters}>
          {main && <Parameter field={main} level={level} onLevel={onLevel} compact />}
          <MoreParameters loss={loss} fields={fields} level={level} onLevel={onLevel} onAgain={onAgain && (() => onAgain(variant(level, main)))} />
        </span>
      )}
    </li>
  )
}

/** The same loss with another value to begin with: two equal levels would be one run. */
function variant(level: LossLevel, field: NumberField | undefined): LossLevel {
  if (!field) return { ...level, weight: Number(level.weight ?? 1) / 2 }
  const value = level[field.path] ?? field.default
  return { ...level, [field.path]: typeof value === 'number' && value !== 0 ? value / 2 : (field.max ?? 1) }
}

interface ParameterProps {
  field: NumberField
  level: LossLevel
  onLevel: (level: LossLevel) => void
  compact?: boolean
}

/** One parameter of a loss; empty is its default. */
function Parameter({ field, level, onLevel, compact = false }: ParameterProps) {
  const set = (value: string | number) => {
    const { [field.path]: _old, ...rest } = level
    onLevel((typeof value === 'number' && value !== field.default ? { ...rest, [field.path]: value } : rest) as LossLevel)
  }
  return (
    <NumberInput
      aria-label={field.title}
      label={compact ? undefined : field.title}
      description={compact ? undefined : field.description}
      leftSection={compact ? <span className={classes.symbol}>{field.title}</span> : undefined}
      leftSectionWidth={compact ? 14 + 6.5 * field.title.length : undefined}
      placeholder={field.default === null ? 'none' : String(field.default)}
      value={(level[field.path] as number | undefined) ?? ''}
      min={field.min}
      max={field.max}
      step={0.05}
      hideControls={compact}
      w={compact ? 60 + 7 * field.title.length : undefined}
      onChange={set}
    />
  )
}

interface MoreProps {
  loss: LossEntry
  fields: NumberField[]
  level: LossLevel
  onLevel: (level: LossLevel) => void
  onAgain?: () => void
}

function MoreParameters({ loss, fields, level, onLevel, onAgain }: MoreProps) {
  return (
    <Popover position="bottom-end" width={300}>
      <Popover.Target>
        <ActionIcon variant="subtle" color="gray" size={26} aria-label={`All parameters of ${loss.title}`}>
          <Icon name="sliders" size={14} />
        </ActionIcon>
      </Popover.Target>
      <Popover.Dropdown className={classes.popover}>
        <p>{loss.description}</p>
        {fields.map((field) => (
          <Parameter key={field.path} field={field} level={level} onLevel={onLevel} />
        ))}
        {onAgain && (
          <button type="button" className="link" onClick={onAgain}>
            <Icon name="plus" size={14} /> Compare with another setting of {loss.title}
          </button>
        )}
      </Popover.Dropdown>
    </Popover>
  )
}
