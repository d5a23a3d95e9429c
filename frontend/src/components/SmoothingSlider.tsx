import { Slider } from '@mantine/core'
import { useEffect, useState } from 'react'

import { fixed } from '../lib/format'
import { MOST_SMOOTHING } from '../lib/smoothing'
import classes from './FigurePanel.module.css'

interface Props {
  /** as the address has it */
  weight: number
  /** while it is dragged */
  onMove: (weight: number) => void
  onChoose: (weight: number) => void
}

/** For the eye alone: the lines follow while it is dragged, and the address when it is let go. */
export function SmoothingSlider({ weight, onMove, onChoose }: Props) {
  const [value, setValue] = useState(weight)
  useEffect(() => setValue(weight), [weight])
  return (
    <div className={classes.control}>
      <span className={classes.name} aria-hidden>
        Smoothing
      </span>
      <Slider
        w={100}
        aria-label="Smoothing"
        thumbLabel="Smoothing"
        label={null}
        min={0}
        max={MOST_SMOOTHING}
        step={0.01}
        value={value}
        onChange={(next) => {
          setValue(next)
          onMove(next)
        }}
        onChangeEnd={onChoose}
      />
      <span className={`${classes.name} num`}>{fixed(value, 2)}</span>
    </div>
  )
}
