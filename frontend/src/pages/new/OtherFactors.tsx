import { ActionIcon, Select, TagsInput } from '@mantine/core'
import { useMemo, useState } from 'react'

import { Icon } from '../../components/icons'
import { settingValue } from '../../lib/format'
import { findField, leaves, parseLevel, settingTitle, type Field } from '../../lib/schema'
import { canonical, factorsOf, readBase, setLevels, writeFactor } from '../../lib/spec'
import { useForm } from './draft'
import { Line } from './Line'
import classes from './New.module.css'

/** Factors with a section of their own. */
const SHOWN = new Set(['loss', 'data.train_size', 'network.encoder', 'seed'])

/** Any further setting can be varied: its levels multiply the grid. */
export function OtherFactors() {
  const { spec } = useForm()
  const paths = Object.keys(factorsOf(spec))
    .map(canonical)
    .filter((path) => !SHOWN.has(path))
  return (
    <>
      {paths.map((path) => (
        <FactorLine key={path} path={path} />
      ))}
      <Line label={paths.length === 0 ? 'Other factors' : ''}>
        <AddFactor taken={paths} />
      </Line>
    </>
  )
}

function FactorLine({ path }: { path: string }) {
  const { spec, change, fields, faultAt } = useForm()
  const field = findField(fields, path)
  const levels = Object.entries(factorsOf(spec)).find(([key]) => canonical(key) === path)?.[1] ?? []
  const [fault, setFault] = useState<string | null>(null)
  const set = (texts: string[]) => {
    try {
      const next = texts.map((text) => levels.find((level) => settingText(level) === text) ?? parseLevel(text, field))
      setFault(null)
      change(writeFactor(spec, path, next))
    } catch (error) {
      setFault(error instanceof Error ? error.message : String(error))
    }
  }
  return (
    <Line label={settingTitle(path)} fault={fault ?? faultAt(path)} hint={field?.description}>
      <span className="row">
        <TagsInput
          aria-label={`Levels of ${path}`}
          className={classes.grow}
          placeholder={levels.length === 0 ? 'a level, then Enter' : ''}
          data={suggestions(field)}
          value={levels.map(settingText)}
          onChange={set}
          splitChars={[',', ';']}
          acceptValueOnBlur
        />
        <ActionIcon variant="subtle" color="gray" aria-label={`Do not vary ${path}`} onClick={() => change(writeFactor(spec, path, undefined))}>
          <Icon name="close" size={14} />
        </ActionIcon>
      </span>
    </Line>
  )
}

function settingText(level: unknown): string {
  return typeof level === 'number' ? String(level) : settingValue(level)
}

function suggestions(field: Field | undefined): string[] {
  if (field?.kind === 'choice') return field.values
  return field?.kind === 'boolean' ? ['on', 'off'] : []
}

function AddFactor({ taken }: { taken: string[] }) {
  const { spec, change, fields } = useForm()
  const data = useMemo(() => {
    const free = leaves(fields).filter((field) => !SHOWN.has(field.path) && !taken.includes(field.path) && field.kind !== 'json')
    return free.map((field) => ({ value: field.path, label: `${settingTitle(field.path)} · ${field.path}` }))
  }, [fields, taken])
  const add = (path: string | null) => {
    if (!path) return
    const now = readBase(spec, path) ?? findField(fields, path)?.default
    change(setLevels(spec, path, [now ?? null]))
  }
  return <Select aria-label="Add a factor" placeholder="Vary another setting" searchable clearable={false} data={data} value={null} onChange={add} nothingFoundMessage="No setting is called that" leftSection={<Icon name="plus" size={13} />} />
}
