import { Select } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'

import { datasetsQuery } from '../../api/queries'
import type { DatasetEntry } from '../../api/types'
import { plural } from '../../lib/format'
import { findField } from '../../lib/schema'
import { readBase, readFactor, writeBase } from '../../lib/spec'
import { useForm } from './draft'
import { Line } from './Line'
import classes from './New.module.css'

export function useChosenDataset(): { name: string; split: string; entry: DatasetEntry | undefined } {
  const { spec, fields } = useForm()
  const { data } = useQuery(datasetsQuery())
  const name = String(readFactor(spec, 'data.dataset')?.[0] ?? readBase(spec, 'data.dataset') ?? findField(fields, 'data.dataset')?.default ?? '')
  const entry = data?.find((dataset) => dataset.name === name)
  const split = String(readBase(spec, 'data.split') ?? findField(fields, 'data.split')?.default ?? entry?.report.default_split ?? '')
  return { name, split, entry }
}

/** Training images there are to choose from. */
export function trainImages(entry: DatasetEntry | undefined, split: string): number | undefined {
  return entry?.report.splits[split]?.train
}

/** Which data, divided how. */
export function DataSection() {
  const { spec, change, faultAt } = useForm()
  const { data } = useQuery(datasetsQuery())
  const { name, split, entry } = useChosenDataset()
  const varied = readFactor(spec, 'data.dataset')
  const names = [...new Set([...(data ?? []).map((dataset) => dataset.name), name])].filter(Boolean)
  const splits = [...new Set([...Object.keys(entry?.report.splits ?? {}), split])].filter(Boolean)
  return (
    <Line label="Data" fault={faultAt('data.dataset') ?? faultAt('data.split')} hint={varied && varied.length > 1 ? `A factor: ${varied.join(', ')}.` : words(entry, split)}>
      <div className={classes.pair}>
        <Select aria-label="Dataset" data={names} value={name} disabled={Boolean(varied && varied.length > 1)} onChange={(v) => v && change(writeBase(spec, 'data.dataset', v))} />
        <Select aria-label="Split" data={splits} value={split} onChange={(v) => v && change(writeBase(spec, 'data.split', v))} />
      </div>
    </Line>
  )
}

function words(entry: DatasetEntry | undefined, split: string): string {
  const parts = entry?.report.splits[split]
  if (!entry) return 'Not registered yet: `depthboard data add` does that.'
  if (!parts) return `This dataset has no split called ${split}.`
  const counts = Object.entries(parts).map(([part, n]) => `${plural(n, 'image')} in ${part}`)
  return `${counts.join(', ')}.`
}
