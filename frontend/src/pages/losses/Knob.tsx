import { Slider } from '@mantine/core'
import { useEffect, useState } from 'react'

import { useNavigate } from '@tanstack/react-router'

import { lossesRoute, type LossesSearch } from '../../router'
import classes from './Losses.module.css'

type Name = 'c' | 'lam' | 's' | 'y' | 'scale' | 'p'

export interface Setting {
  value: number
  /** while it is dragged */
  set: (value: number) => void
  /** where it was let go: into the address */
  settle: (value: number) => void
}

/** A number of the address that follows a slider at once and is written there when it rests. */
export function useSetting(name: Name, start: number): Setting {
  const kept = (lossesRoute.useSearch() as LossesSearch)[name] ?? start
  const [value, set] = useState(kept)
  const navigate = useNavigate()
  useEffect(() => set(kept), [kept])
  const settle = (next: number) => void navigate({ to: '/losses', search: (search) => ({ ...search, [name]: next === start ? undefined : next }), resetScroll: false })
  return { value, set, settle }
}

interface Props {
  setting: Setting
  label: string
  /** the value in words */
  text: string
  min: number
  max: number
  step: number
}

export function Knob({ setting, label, text, min, max, step }: Props) {
  return (
    <div className={classes.knob}>
      <span className="num">{text}</span>
      <Slider aria-label={label} thumbLabel={label} label={null} w={116} min={min} max={max} step={step} value={setting.value} onChange={setting.set} onChangeEnd={setting.settle} />
    </div>
  )
}
