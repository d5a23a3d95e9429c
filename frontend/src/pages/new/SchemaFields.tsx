import { NumberInput, Select, Switch, TextInput } from '@mantine/core'

import type { Field, NumberField, UnionField } from '../../lib/schema'
import { isRecord, readBase, writeBase } from '../../lib/spec'
import { useForm } from './draft'
import classes from './New.module.css'

interface Props {
  fields: readonly Field[]
  /** settings that are factors: their value here would not count */
  varied: ReadonlySet<string>
}

/** A form from a JSON Schema: a control a setting, groups and unions in place. */
export function SchemaFields({ fields, varied }: Props) {
  return (
    <div className={classes.fields}>
      {fields.map((field) => (
        <SchemaField key={field.path} field={field} varied={varied} />
      ))}
    </div>
  )
}

function SchemaField({ field, varied }: { field: Field; varied: ReadonlySet<string> }) {
  const { spec, change, faultAt } = useForm()
  const value = readBase(spec, field.path) ?? field.default
  // What equals the default is left out: the YAML holds what was decided.
  const set = (next: unknown) => change(writeBase(spec, field.path, next === field.default ? undefined : next))
  const shared = { label: field.title, description: field.description || undefined, error: faultAt(field.path), disabled: varied.has(field.path) }
  const placeholder = shared.disabled ? 'varied above' : field.nullable ? 'none' : undefined
  switch (field.kind) {
    case 'number':
    case 'integer':
      return <NumberField {...shared} field={field} value={shared.disabled ? '' : (value as number | null)} placeholder={placeholder} onChange={set} />
    case 'choice':
      return <Select {...shared} data={field.values} value={shared.disabled ? null : String(value)} placeholder={placeholder} onChange={(v) => v && set(v)} />
    case 'boolean':
      return <Switch {...shared} checked={value === true} onChange={(event) => set(event.currentTarget.checked)} />
    case 'string':
      return <TextInput {...shared} value={value === null ? '' : String(value)} placeholder={placeholder} onChange={(event) => set(event.currentTarget.value || (field.nullable ? null : undefined))} />
    case 'group':
      return <SchemaFields fields={field.fields} varied={varied} />
    case 'union':
      return <UnionControl field={field} varied={varied} />
    case 'json':
      return null
  }
}

interface NumberProps {
  field: NumberField
  label: string
  description?: string
  error: string | null
  disabled: boolean
  placeholder?: string
  value: number | string | null
  onChange: (value: number | null | undefined) => void
}

function NumberField({ field, value, onChange, ...shared }: NumberProps) {
  return (
    <NumberInput
      {...shared}
      value={value ?? ''}
      min={field.min}
      max={field.max}
      step={field.step ?? stepFor(field.default)}
      clampBehavior="none"
      allowDecimal={field.kind === 'number'}
      allowNegative={field.min === undefined || field.min < 0}
      onChange={(next) => onChange(typeof next === 'number' ? next : field.nullable ? null : undefined)}
    />
  )
}

/** A tenth of the default's power of ten: 0.0002 steps by 0.0001. */
function stepFor(value: unknown): number {
  return typeof value === 'number' && value > 0 ? 10 ** Math.floor(Math.log10(value)) : 0.05
}

/** A tagged union: which kind, then that kind's own settings. */
function UnionControl({ field, varied }: { field: UnionField; varied: ReadonlySet<string> }) {
  const { spec, change, faultAt } = useForm()
  const value = readBase(spec, field.path) ?? field.default
  const chosen = String(isRecord(value) ? value[field.tag] : field.variants[0]?.name)
  const initial = isRecord(field.default) ? field.default[field.tag] : undefined
  const variant = field.variants.find((v) => v.name === chosen)
  const choose = (name: string | null) => name && change(writeBase(spec, field.path, name === initial ? undefined : { [field.tag]: name }))
  return (
    <>
      <Select
        label={field.title}
        description={variant?.description || field.description}
        data={field.variants.map((v) => ({ value: v.name, label: v.name.replaceAll('_', ' ') }))}
        value={chosen}
        error={faultAt(field.path)}
        onChange={choose}
      />
      {variant?.fields.map((inner) => (
        <SchemaField key={inner.path} field={inner} varied={varied} />
      ))}
    </>
  )
}
