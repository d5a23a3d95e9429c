import { Autocomplete } from '@mantine/core'
import { useHotkeys } from '@mantine/hooks'
import { useQuery } from '@tanstack/react-query'
import { useMemo, useRef, useState } from 'react'

import { runNamesQuery } from '../../api/queries'
import { completions } from '../../lib/completion'
import { Icon } from '../icons'
import { FilterHelp } from './FilterHelp'
import classes from './RunFilter.module.css'

interface Props {
  value: string
  onChange: (value: string) => void
  /** whose parameters and metrics are offered; null: those of all runs */
  experiment: number | null
  fault: boolean
}

/** The filter of a list of runs; `/` goes there. Names are offered while they are typed. */
export function RunFilter({ value, onChange, experiment, fault }: Props) {
  const input = useRef<HTMLInputElement>(null)
  const [used, setUsed] = useState(false)
  useHotkeys([['/', () => input.current?.focus()]])
  const names = useQuery({ ...runNamesQuery(experiment), enabled: used }).data
  const offered = useMemo(() => (names ? completions(value, names) : []), [value, names])
  return (
    <Autocomplete
      ref={input}
      className={classes.filter}
      aria-label="Filter runs"
      placeholder="Filter: words, or loss in (l1, eigen) and optimiser.lr > 1e-3 and rmse < 0.65"
      leftSection={<Icon name="search" size={14} />}
      size="xs"
      rightSectionWidth={56}
      rightSectionPointerEvents="all"
      rightSection={
        <span className={classes.sides}>
          <kbd className={classes.key}>/</kbd>
          <FilterHelp names={names} onOpen={() => setUsed(true)} onUse={(text) => (onChange(text), input.current?.focus())} />
        </span>
      }
      value={value}
      error={fault}
      onFocus={() => setUsed(true)}
      onChange={onChange}
      data={offered}
      filter={({ options }) => options}
      renderOption={({ option }) => <code>{option.value.slice(common(option.value, value))}</code>}
      comboboxProps={{ width: 340, position: 'bottom-start' }}
      spellCheck={false}
    />
  )
}

/** Where the word begins that an offer ends: what stands before is on the screen already. */
function common(offer: string, text: string): number {
  let at = 0
  while (at < offer.length && offer[at] === text[at]) at++
  return Math.max(0, ...[' ', '(', ','].map((sign) => offer.lastIndexOf(sign, Math.max(0, at - 1)) + 1).filter((start) => start <= at && start < offer.length))
}
