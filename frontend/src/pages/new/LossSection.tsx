import { ActionIcon, Checkbox, NumberInput, Popover, Select, TextInput } from '@mantine/core'
import { useDisclosure } from '@mantine/hooks'
import { Link } from '@tanstack/react-router'

import type { LossEntry } from '../../api/types'
import { Formula } from '../../components/Formula'
import { Icon } from '../../components/icons'
import { LossGlyph } from '../../components/LossGlyph'
import { settingValue } from '../../lib/format'
import { compareLosses } from '../../lib/losses'
import { fieldsOf, startOf, type ChoiceField, type JsonSchema, type NumberField, type PlainField } from '../../lib/schema'
import { lossLevels, writeLosses, type LossLevel } from '../../lib/spec'
import { useForm } from './draft'
import classes from './New.module.css'

/** Of the catalogue, the first are the paper's own. */
const PAPER = 7

/** The losses that are compared, each with its formula and parameters; one can stand in the list several times. */
export function LossSection() {
  const { spec, change, catalogue, faultAt } = useForm()
  const levels = lossLevels(spec)
  const all = catalogue.losses.map((loss) => loss.name)
  const ready = catalogue.losses.filter((loss) => !needsFile(loss)).map(firstLevel)
  const choose = (some: LossLevel[]) => change(writeLosses(spec, some.map((first) => levels.find((level) => level.name === first.name) ?? first)))
  const fault = faultAt('loss')
  return (
    <section aria-label="Losses" className={classes.losses}>
      <div className="spread">
        <h2 className="section">
          Losses <span className={classes.quiet}>{levels.length === new Set(levels.map((l) => l.name)).size ? `${levels.length} of ${all.length}` : `${levels.length} settings`}</span>
        </h2>
        <span className={classes.sets}>
          <button type="button" className="link" onClick={() => choose(ready.slice(0, PAPER))}>
            Paper’s seven
          </button>
          <button type="button" className="link" onClick={() => choose(ready)}>
            {ready.length === all.length ? 'All' : `All but ${catalogue.losses.filter(needsFile).map((loss) => loss.title).join(', ')}`}
          </button>
        </span>
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

/** A loss as it stands when it is ticked: a sum begins with the parts of its example. */
function firstLevel(loss: LossEntry): LossLevel {
  const known = Object.entries(needs(loss)).filter(([, value]) => value !== undefined)
  return { name: loss.name, ...Object.fromEntries(known) }
}

function needs(loss: LossEntry): Record<string, unknown> {
  return startOf(loss.json_schema as JsonSchema)
}

/** Whether it cannot run before someone names a file, which no default can. */
function needsFile(loss: LossEntry): boolean {
  return Object.values(needs(loss)).some((value) => value === undefined)
}

type Editable = NumberField | ChoiceField | PlainField

function editableFields(loss: LossEntry): Editable[] {
  return fieldsOf(loss.json_schema as JsonSchema).filter((field): field is Editable => !['group', 'union', 'json', 'boolean'].includes(field.kind))
}

interface RowsProps {
  loss: LossEntry
  levels: LossLevel[]
  onChange: (levels: LossLevel[]) => void
}

function LossRows({ loss, levels, onChange }: RowsProps) {
  const own = levels.map((level, index) => ({ level, index })).filter(({ level }) => level.name === loss.name)
  const toggle = () => onChange(own.length > 0 ? levels.filter((level) => level.name !== loss.name) : insertInOrder(levels, firstLevel(loss)))
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
  const fields = editableFields(loss)
  const needed = Object.keys(needs(loss))
  const own = fields.filter(isNumber).filter((field) => field.path !== 'weight')
  const main = own.find((field) => level?.[field.path] !== undefined) ?? own.find((field) => !field.nullable) ?? own[0]
  const shown = fields.find((field) => needed.includes(field.path)) ?? main
  return (
    <li className={classes.loss} data-off={!level || undefined}>
      <Checkbox checked={Boolean(level)} onChange={onToggle} aria-label={first ? loss.title : `${loss.title}, further setting`} />
      <LossGlyph name={loss.name} line />
      <span className={classes.lossName}>{loss.title}</span>
      {first ? <FormulaCell loss={loss} wanting={!level && needsFile(loss)} /> : <span />}
      {level && onLevel && (
        <span className={classes.parameters}>
          {Array.isArray(level.parts) && <span className={classes.quiet}>{partsText(level.parts)}, in the YAML</span>}
          {shown && <Parameter field={shown} level={level} onLevel={onLevel} compact />}
          <MoreParameters loss={loss} fields={fields} level={level} onLevel={onLevel} onAgain={onAgain && (() => onAgain(variant(level, main)))} />
        </span>
      )}
    </li>
  )
}

/** One short line; on hover and focus the whole formula, and what the loss does. */
function FormulaCell({ loss, wanting }: { loss: LossEntry; wanting: boolean }) {
  const [opened, { open, close }] = useDisclosure(false)
  return (
    <Popover opened={opened} position="bottom-start" width={420} withinPortal>
      <Popover.Target>
        <Link to="/losses" search={{ name: loss.name }} target="_blank" className={classes.formula} aria-label={`${loss.title}, explained`} onMouseEnter={open} onMouseLeave={close} onFocus={open} onBlur={close}>
          {wanting ? <span className={classes.wanting}>needs a file of weights</span> : <Formula latex={loss.brief} />}
        </Link>
      </Popover.Target>
      <Popover.Dropdown className={classes.popover}>
        <span className={classes.whole}>
          {loss.formula.split(/,?\\quad\s*/).map((line) => (
            <Formula key={line} latex={line} display />
          ))}
        </span>
        <p>{loss.description}</p>
        {wanting && <p>It needs a file of weights, which does not come with Depthboard: tick it and give the path, the same on every worker.</p>}
      </Popover.Dropdown>
    </Popover>
  )
}

function isNumber(field: Editable): field is NumberField {
  return field.kind === 'number' || field.kind === 'integer'
}

/** `l1 + 2 ms_ssim`, as the label of the run will have it. */
function partsText(parts: readonly unknown[]): string {
  return parts.map((part) => (typeof part === 'string' ? part : partText(part as LossLevel))).join(' + ')
}

function partText({ name, weight }: LossLevel): string {
  return weight === undefined || weight === 1 ? name : `${settingValue(weight)} ${name}`
}

/** The same loss with another value to begin with: two equal levels would be one run. */
function variant(level: LossLevel, field: NumberField | undefined): LossLevel {
  if (!field) return { ...level, weight: Number(level.weight ?? 1) / 2 }
  const value = level[field.path] ?? field.default
  return { ...level, [field.path]: typeof value === 'number' && value !== 0 ? value / 2 : (field.max ?? 1) }
}

interface ParameterProps {
  field: Editable
  level: LossLevel
  onLevel: (level: LossLevel) => void
  compact?: boolean
}

/** One parameter of a loss; empty is its default. */
function Parameter({ field, level, onLevel, compact = false }: ParameterProps) {
  const set = (value: unknown) => {
    const { [field.path]: _old, ...rest } = level
    onLevel((value === undefined || value === '' || value === field.default ? rest : { ...rest, [field.path]: value }) as LossLevel)
  }
  const value = level[field.path]
  const words = { 'aria-label': field.title, label: compact ? undefined : field.title, description: compact ? undefined : field.description }
  if (field.kind === 'choice') {
    return <Select {...words} data={field.values} value={String(value ?? field.default)} allowDeselect={false} w={compact ? 110 : undefined} onChange={(next) => set(next ?? undefined)} />
  }
  if (!isNumber(field)) {
    return <TextInput {...words} placeholder={`path of the ${field.title}`} value={String(value ?? '')} w={compact ? 170 : undefined} onChange={(event) => set(event.currentTarget.value)} />
  }
  return (
    <NumberInput
      {...words}
      leftSection={compact ? <span className={classes.symbol}>{field.title}</span> : undefined}
      leftSectionWidth={compact ? 14 + 6.5 * field.title.length : undefined}
      placeholder={field.default === null ? 'none' : String(field.default)}
      value={(value as number | undefined) ?? ''}
      min={field.min}
      max={field.max}
      step={field.kind === 'integer' ? 1 : 0.05}
      hideControls={compact}
      w={compact ? 60 + 7 * field.title.length : undefined}
      onChange={(next) => set(typeof next === 'number' ? next : undefined)}
    />
  )
}

interface MoreProps {
  loss: LossEntry
  fields: Editable[]
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
