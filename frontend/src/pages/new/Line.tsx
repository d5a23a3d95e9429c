import type { ReactNode } from 'react'

import { Sentence } from '../../components/Sentence'
import classes from './New.module.css'

interface Props {
  label: string
  htmlFor?: string
  hint?: ReactNode
  /** the API's sentence about this setting */
  fault?: string | null
  children: ReactNode
}

/** A label on the left, its control on the right, and beneath it what to know or what is wrong. */
export function Line({ label, htmlFor, hint, fault, children }: Props) {
  const Label = htmlFor ? 'label' : 'span'
  return (
    <div className={classes.line}>
      <Label {...(htmlFor ? { htmlFor } : {})} className={classes.label}>
        {label}
      </Label>
      <div className={classes.control}>
        {children}
        {fault ? (
          <p className={classes.fault} role="alert">
            {fault}
          </p>
        ) : (
          hint && <p className="secondary">{typeof hint === 'string' ? <Sentence text={hint} /> : hint}</p>
        )}
      </div>
    </div>
  )
}
