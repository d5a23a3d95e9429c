import { useElementSize } from '@mantine/hooks'
import { useLayoutEffect, useRef, useState } from 'react'

import type { LossEntry } from '../../api/types'
import { Formula } from '../../components/Formula'
import { Icon } from '../../components/icons'
import { LossGlyph } from '../../components/LossGlyph'
import { fieldsOf, type JsonSchema } from '../../lib/schema'
import classes from './Losses.module.css'

/** Formula on the left; on the right what it is of, in which unit, and whose. */
export function LossHead({ loss }: { loss: LossEntry }) {
  const [brief, ...more] = sentences(loss.description)
  return (
    <>
      <div className={classes.head}>
        <LossGlyph name={loss.name} line />
        <h2 className="title">{loss.title}</h2>
        <p className={classes.brief}>{brief}</p>
      </div>
      <div className={classes.pair}>
        <div className={classes.formula} tabIndex={0} role="group" aria-label={`Formula of ${loss.title}`}>
          {loss.formula.split(/,?\\quad\s*/).map((line) => (
            <FittedFormula key={line} latex={line} />
          ))}
        </div>
        <Facts loss={loss} />
      </div>
      {more.length > 0 && <p className={classes.words}>{more.join(' ')}</p>}
      {needsFile(loss) && (
        <p className={classes.missing}>
          <Icon name="warning" size={14} /> {loss.title} needs a file of weights, which does not come with Depthboard. Put it at the same path on every worker and give that path in the experiment.
        </p>
      )}
    </>
  )
}

function Facts({ loss }: { loss: LossEntry }) {
  const ratio = fieldsOf(loss.json_schema as JsonSchema).find((field) => field.path === 'threshold_ratio')
  return (
    <dl className={classes.facts}>
      <dt>Residual</dt>
      <dd>{loss.residual ? <Residual latex={loss.residual} /> : 'none: it compares more than one pixel, or adds up others'}</dd>
      {ratio && (
        <>
          <dt>Threshold</dt>
          <dd>
            <Formula latex={`${loss.name === 'huber_textbook' ? '\\delta' : 'c'} = ${String(ratio.default)}\\,\\max|\\ell|`} /> over the batch, without a gradient
          </dd>
        </>
      )}
      <dt>Unit</dt>
      <dd>{loss.measured_in}</dd>
      {loss.differs && (
        <>
          <dt>Paper and code</dt>
          <dd>{loss.differs}</dd>
        </>
      )}
      <dt>Reference</dt>
      <dd className={classes.reference}>{loss.sources.join('; ')}</dd>
    </dl>
  )
}

function Residual({ latex }: { latex: string }) {
  return (
    <>
      <Formula latex={latex} /> over the n valid pixels; y is the ground truth
    </>
  )
}

const FORMULA_PX = 17
const LEAST_PX = 9

/** As large as the box allows. */
function FittedFormula({ latex }: { latex: string }) {
  const { ref, width } = useElementSize<HTMLDivElement>()
  const inner = useRef<HTMLDivElement>(null)
  const [size, setSize] = useState(FORMULA_PX)
  useLayoutEffect(() => {
    const drawn = inner.current?.querySelector('.katex-html')
    if (!drawn || width === 0) return
    const range = document.createRange()
    range.selectNodeContents(drawn)
    const needed = range.getBoundingClientRect().width / size
    setSize(Math.max(LEAST_PX, Math.min(FORMULA_PX, Math.floor((2 * width) / needed) / 2)))
  }, [latex, width, size])
  return (
    <div ref={ref} style={{ fontSize: `${size / 1.21}px`, minWidth: 0 }}>
      <div ref={inner}>
        <Formula latex={latex} display />
      </div>
    </div>
  )
}

/** The first sentence stands beside the name, the others under the formula. */
function sentences(text: string): string[] {
  return text.replace(/\s+/g, ' ').split(/(?<=[.:]) (?=[A-Zλα0-9“(]|s )/)
}

/** Whether a loss cannot run before someone names a file, which no default can. */
export function needsFile(loss: LossEntry): boolean {
  const schema = loss.json_schema as JsonSchema
  return (schema.required ?? []).some((name) => !schema.properties?.[name]?.examples)
}
