import { describe, expect, it } from 'vitest'

import { fieldsOf, findField, leaves, parseLevel, startOf, type JsonSchema } from './schema'

const schema: JsonSchema = {
  $defs: {
    Data: {
      type: 'object',
      properties: {
        train_size: { anyOf: [{ type: 'integer', minimum: 1 }, { type: 'null' }], default: null, description: 'Training images.' },
        height: { type: 'integer', minimum: 32, multipleOf: 32, default: 64 },
        crop: { enum: ['none', 'eigen'], type: 'string', default: 'none' },
        flip: { type: 'boolean', default: false },
      },
    },
    L1: { properties: { name: { const: 'l1', default: 'l1' }, weight: { type: 'number', exclusiveMinimum: 0, default: 1 } }, description: 'Absolute.' },
    Eigen: { properties: { name: { const: 'eigen' }, weight: { type: 'number', default: 1 }, lam: { type: 'number', minimum: 0, maximum: 1, default: 0.5 } } },
  },
  properties: {
    schema_version: { const: 1, default: 1 },
    data: { $ref: '#/$defs/Data', default: {} },
    loss: { oneOf: [{ $ref: '#/$defs/L1' }, { $ref: '#/$defs/Eigen' }], discriminator: { propertyName: 'name' }, default: { name: 'l1' } },
    labels: { type: 'object', additionalProperties: { type: 'string' } },
  },
}
const fields = fieldsOf(schema)

describe('fieldsOf', () => {
  it('follows references into groups and drops constants', () => {
    expect(fields.map((field) => [field.path, field.kind])).toEqual([['data', 'group'], ['loss', 'union'], ['labels', 'json']])
  })

  it('reads range, step, default and whether a number may be empty', () => {
    expect(findField(fields, 'data.train_size')).toMatchObject({ kind: 'integer', nullable: true, min: 1, default: null, description: 'Training images.' })
    expect(findField(fields, 'data.height')).toMatchObject({ kind: 'integer', nullable: false, min: 32, step: 32, default: 64 })
  })

  it('reads choices, switches and tagged unions', () => {
    expect(findField(fields, 'data.crop')).toMatchObject({ kind: 'choice', values: ['none', 'eigen'] })
    expect(findField(fields, 'data.flip')?.kind).toBe('boolean')
    const loss = fields[1]!
    expect(loss.kind === 'union' && loss.variants.map((v) => [v.name, v.fields.map((f) => f.path)])).toEqual([
      ['l1', ['loss.weight']],
      ['eigen', ['loss.weight', 'loss.lam']],
    ])
  })

  it('lists what can be varied once', () => {
    expect(leaves(fields).map((field) => field.path)).toEqual(['data.train_size', 'data.height', 'data.crop', 'data.flip', 'loss.weight', 'loss.lam', 'labels'])
  })
})

describe('startOf', () => {
  it('takes what must be said from the examples, and nothing where there is none', () => {
    expect(startOf({ properties: { lam: { type: 'number' } } })).toEqual({})
    const sum: JsonSchema = { required: ['parts', 'file'], properties: { parts: { type: 'array', examples: [['l1', 'eigen']] }, file: { type: 'string' } } }
    expect(startOf(sum)).toEqual({ parts: ['l1', 'eigen'], file: undefined })
  })
})

describe('parseLevel', () => {
  it('reads numbers as people write them', () => {
    const size = findField(fields, 'data.train_size')
    expect([parseLevel('12k', size), parseLevel('12 000', size), parseLevel('none', size)]).toEqual([12000, 12000, null])
    expect(parseLevel('1e-4', findField(fields, 'loss.lam'))).toBe(0.0001)
    expect(() => parseLevel('1.5', size)).toThrow('not a whole number')
    expect(() => parseLevel('many', size)).toThrow('not a number')
  })

  it('leaves words alone', () => {
    expect(parseLevel(' eigen ', findField(fields, 'data.crop'))).toBe('eigen')
    expect(parseLevel('on', findField(fields, 'data.flip'))).toBe(true)
  })
})
