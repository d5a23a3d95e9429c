/** The part of JSON Schema that pydantic writes for a configuration, as form fields. A new setting or loss needs no change here. */
import { own } from './own'

export interface JsonSchema {
  type?: string
  title?: string
  description?: string
  default?: unknown
  const?: unknown
  examples?: unknown[]
  enum?: unknown[]
  properties?: Record<string, JsonSchema>
  required?: string[]
  anyOf?: JsonSchema[]
  oneOf?: JsonSchema[]
  allOf?: JsonSchema[]
  discriminator?: { propertyName: string; mapping?: Record<string, string> }
  additionalProperties?: boolean | JsonSchema
  minimum?: number
  maximum?: number
  exclusiveMinimum?: number
  exclusiveMaximum?: number
  multipleOf?: number
  $ref?: string
  $defs?: Record<string, JsonSchema>
}

interface Common {
  /** dotted, as the API names it: data.train_size */
  path: string
  title: string
  description: string
  default: unknown
  nullable: boolean
}

export interface NumberField extends Common {
  kind: 'number' | 'integer'
  min?: number
  max?: number
  step?: number
}
export interface ChoiceField extends Common {
  kind: 'choice'
  values: string[]
}
export interface PlainField extends Common {
  kind: 'string' | 'boolean' | 'json'
}
export interface GroupField extends Common {
  kind: 'group'
  fields: Field[]
}
export interface Variant {
  name: string
  description: string
  fields: Field[]
}
export interface UnionField extends Common {
  kind: 'union'
  tag: string
  variants: Variant[]
}
export type Field = NumberField | ChoiceField | PlainField | GroupField | UnionField

/** The fields of an object schema; constants (tags, versions) are no field. */
export function fieldsOf(schema: JsonSchema, prefix = '', root: JsonSchema = schema): Field[] {
  return Object.entries(schema.properties ?? {}).flatMap(([name, property]) => {
    const field = fieldOf(property, prefix ? `${prefix}.${name}` : name, root)
    return field ? [field] : []
  })
}

function fieldOf(property: JsonSchema, path: string, root: JsonSchema): Field | null {
  const { schema, nullable } = unwrap(property, root)
  if (schema.const !== undefined) return null
  const common: Common = {
    path,
    title: settingTitle(path),
    description: property.description ?? schema.description ?? '',
    default: property.default ?? schema.default ?? null,
    nullable,
  }
  if (schema.oneOf && schema.discriminator) return unionField(schema, common, root)
  if (schema.properties) return { ...common, kind: 'group', fields: fieldsOf(schema, path, root) }
  if (schema.enum) return { ...common, kind: 'choice', values: schema.enum.map(String) }
  if (schema.type === 'integer' || schema.type === 'number') return numberField(schema, common, schema.type)
  return { ...common, kind: schema.type === 'string' || schema.type === 'boolean' ? schema.type : 'json' }
}

/** Follows references and takes `null` out of a union. */
function unwrap(schema: JsonSchema, root: JsonSchema): { schema: JsonSchema; nullable: boolean } {
  if (schema.$ref) return unwrap(resolve(schema.$ref, root), root)
  if (schema.allOf?.length === 1) return unwrap(schema.allOf[0]!, root)
  const others = schema.anyOf?.filter((part) => part.type !== 'null')
  if (schema.anyOf && others?.length === 1) return { schema: unwrap(others[0]!, root).schema, nullable: others.length < schema.anyOf.length }
  return { schema, nullable: false }
}

function resolve(reference: string, root: JsonSchema): JsonSchema {
  const found = root.$defs?.[reference.replace('#/$defs/', '')]
  if (!found) throw new Error(`the schema refers to ${reference}, which it does not hold`)
  return found
}

function unionField(schema: JsonSchema, common: Common, root: JsonSchema): UnionField {
  const tag = schema.discriminator!.propertyName
  const variants = schema.oneOf!.map((part) => {
    const variant = unwrap(part, root).schema
    const name = String(variant.properties?.[tag]?.const)
    return { name, description: variant.description ?? '', fields: fieldsOf(variant, common.path, root) }
  })
  return { ...common, kind: 'union', tag, variants }
}

function numberField(schema: JsonSchema, common: Common, kind: 'number' | 'integer'): NumberField {
  return {
    ...common,
    kind,
    min: schema.minimum ?? schema.exclusiveMinimum,
    max: schema.maximum ?? schema.exclusiveMaximum,
    step: schema.multipleOf ?? (kind === 'integer' ? 1 : undefined),
  }
}

/** What must be said before this can be used, and what stands for it until it is: `undefined` where nobody can know, such as a path. */
export function startOf(schema: JsonSchema): Record<string, unknown> {
  return Object.fromEntries((schema.required ?? []).map((name) => [name, schema.properties?.[name]?.examples?.[0]]))
}

/** Every setting that can be varied, groups and unions flattened; a parameter that several losses share is listed once. */
export function leaves(fields: readonly Field[]): Field[] {
  const all = fields.flatMap((field): Field[] => {
    if (field.kind === 'group') return leaves(field.fields)
    if (field.kind === 'union') return leaves(field.variants.flatMap((variant) => variant.fields))
    return [field]
  })
  return [...new Map(all.map((field) => [field.path, field])).values()]
}

export function findField(fields: readonly Field[], path: string): Field | undefined {
  return leaves(fields).find((field) => field.path === path)
}

const TITLES: Record<string, string> = {
  lr: 'learning rate',
  lam: 'λ',
  hflip: 'horizontal flip',
  beta1: 'β₁',
  beta2: 'β₂',
  images_seen: 'images seen',
  l1_weight: 'λ',
  threshold: 'c',
  threshold_ratio: 'c / max',
  d_lr: 'learning rate of D',
  alpha: 'α',
  data_range: 'R',
}

/** The last part of a path in words. */
export function settingTitle(path: string): string {
  const name = path.split('.').at(-1)!
  return own(TITLES, name) ?? name.replaceAll('_', ' ')
}

/** A level that a person typed, as the field means it; raises a sentence for one that cannot be. */
export function parseLevel(text: string, field: Field | undefined): unknown {
  const trimmed = text.trim()
  if (field?.nullable && /^(none|null|)$/i.test(trimmed)) return null
  if (field?.kind === 'integer' || field?.kind === 'number') return parseNumber(trimmed, field)
  if (field?.kind === 'boolean') return /^(on|true|yes)$/i.test(trimmed)
  return trimmed
}

function parseNumber(text: string, field: NumberField): number {
  const value = Number(text.replace(/[\s_]/g, '').replace(/k$/i, 'e3'))
  if (text === '' || !Number.isFinite(value)) throw new Error(`${text || 'nothing'} is not a number`)
  if (field.kind === 'integer' && !Number.isInteger(value)) throw new Error(`${text} is not a whole number`)
  return value
}
