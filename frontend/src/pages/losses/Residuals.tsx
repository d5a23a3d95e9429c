import { useNavigate } from '@tanstack/react-router'
import { useMemo, useState } from 'react'

import type { LossEntry } from '../../api/types'
import { LinePlot } from '../../components/LinePlot'
import { useLosses } from '../../components/useLosses'
import { fixed, plural } from '../../lib/format'
import { KNOB, LAMBDA, NO_CURVE, SHAPES, type Knobs } from '../../lib/lossShapes'
import { lossesRoute } from '../../router'
import { Knob, useSetting } from './Knob'
import { asLines, drawn, residuals, shapePoints, ticksWithin } from './lines'
import classes from './Losses.module.css'

const REACH = 2
const TOP = 2.6
const STEEP = 4
const X = { low: -REACH, high: REACH, ticks: ticksWithin(-REACH, REACH, 0.5), title: 'residual, ground truth − prediction (m)' }

/** What a loss leaves out where every pixel has the same error. */
const ALONE: Record<string, string> = { eigengrad: 'The same error everywhere: without the differences between neighbours.' }

/** What one error costs, and how strongly it pulls. */
export function Residuals({ loss }: { loss: LossEntry }) {
  const c = useSetting('c', 0.4)
  const lam = useSetting('lam', LAMBDA[loss.name] ?? 0.5)
  const s = useSetting('s', 0)
  const y = useSetting('y', 2.5)
  const knob = KNOB[loss.name] ?? 'c'
  const symbol = loss.name === 'huber_textbook' ? 'δ' : 'c'
  const slider = {
    c: <Knob setting={c} label="Threshold" text={`${symbol} = ${fixed(c.value, 2)} m`} min={0.05} max={1.5} step={0.05} />,
    lam: <Knob setting={lam} label="λ" text={`λ = ${fixed(lam.value, 2)}`} min={0} max={1} step={0.05} />,
    s: <Knob setting={s} label="Log variance s" text={`s = ${fixed(s.value, 1)}`} min={-2} max={2} step={0.1} />,
  }[knob]
  if (!(loss.name in SHAPES)) return <NoCurve loss={loss} />
  return <Curves loss={loss} knobs={{ c: c.value, lam: lam.value, s: s.value, y: y.value }} slider={slider} truth={<Knob setting={y} label="Ground truth" text={`y = ${fixed(y.value, 1)} m`} min={1} max={8} step={0.1} />} />
}

function NoCurve({ loss }: { loss: LossEntry }) {
  return (
    <section aria-label="Value and gradient" className={classes.none}>
      <h3 className="section">Value and gradient</h3>
      <p>There is no curve of {loss.title} against the error of one pixel. {NO_CURVE[loss.name]}</p>
    </section>
  )
}

interface CurvesProps {
  loss: LossEntry
  knobs: Knobs
  slider: React.ReactNode
  truth: React.ReactNode
}

function Curves({ loss, knobs, slider, truth }: CurvesProps) {
  const losses = useLosses()
  const { all = false } = lossesRoute.useSearch()
  const [cursor, setCursor] = useState<number | null>(null)
  const { c, lam, s, y } = knobs
  const lines = useMemo(() => {
    const xs = residuals(c, REACH)
    // λ and s are the chosen loss's own; the others stand beside it as they are by default.
    const own = (name: string): Knobs => (name === loss.name ? { c, lam, s, y } : { c, lam: LAMBDA[name] ?? 0.5, s: 0, y })
    const label = (name: string) => (name === 'eigen' ? `${losses.title(name)}, y = ${fixed(y, 1)} m` : losses.title(name))
    const of = (what: 'value' | 'slope') => asLines(drawn(loss.name, all), loss.name, losses, (name) => shapePoints(name, what, xs, own(name)), label)
    return { value: of('value'), slope: of('slope') }
  }, [loss.name, all, losses, c, lam, s, y])
  const low = Math.min(0, loss.name === 'kendall_gal' ? s / 2 : 0)
  const marks = ['huber', 'berhu', 'huber_textbook'].includes(loss.name) ? [{ at: -c, label: loss.name === 'huber_textbook' ? '−δ' : '−c' }, { at: c, label: loss.name === 'huber_textbook' ? 'δ' : 'c' }] : []
  const shared = { x: X, marks, cursor, onCursor: setCursor }
  return (
    <>
      <div className={classes.pair}>
        <section aria-label="Value">
          <div className={classes.title}>
            <h3 className="section">Value</h3>
            {slider}
          </div>
          <LinePlot {...shared} lines={lines.value} y={{ low, high: TOP, ticks: ticksWithin(low, TOP, 0.5) }} label={`Value of ${loss.title} and other losses against the residual of one pixel`} />
        </section>
        <section aria-label="Gradient">
          <div className={classes.title}>
            <h3 className="section">Gradient</h3>
            {truth}
          </div>
          <LinePlot {...shared} lines={lines.slope} y={{ low: -STEEP, high: STEEP, ticks: ticksWithin(-STEEP, STEEP, 2) }} label={`Slope of ${loss.title} and other losses against the residual of one pixel`} />
        </section>
      </div>
      <p className={`${classes.reading} num`} aria-live="off">
        <span>{cursor === null ? `${ALONE[loss.name] ?? 'One pixel, each loss in its own unit.'} A negative residual is a prediction too far. Point at a chart to read both.` : reading(loss, cursor, knobs)}</span>
        <AllButton all={all} />
      </p>
    </>
  )
}

function reading(loss: LossEntry, at: number, knobs: Knobs): string {
  const { value, slope } = SHAPES[loss.name]!
  return `At ${fixed(at, 2)} m ${loss.title} costs ${fixed(value(at, knobs), 3)}, slope ${fixed(slope(at, knobs), 2)}. L1 costs ${fixed(Math.abs(at), 3)} m, L2 ${fixed(at * at, 3)} m².`
}

function AllButton({ all }: { all: boolean }) {
  const navigate = useNavigate()
  return (
    <button type="button" className="link" aria-pressed={all} onClick={() => void navigate({ to: '/losses', search: (search) => ({ ...search, all: all ? undefined : true }), resetScroll: false })}>
      {all ? "Only the paper's" : `Draw all ${plural(Object.keys(SHAPES).length, 'loss', 'losses')}`}
    </button>
  )
}
