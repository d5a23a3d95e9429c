import { useMemo } from 'react'

import type { LossEntry } from '../../api/types'
import { LinePlot, type PlotLine } from '../../components/LinePlot'
import { LossGlyph } from '../../components/LossGlyph'
import { useLosses } from '../../components/useLosses'
import { fixed } from '../../lib/format'
import { invariance, LAMBDA, SCENE, scaleCost, SHAPES } from '../../lib/lossShapes'
import { Knob, useSetting } from './Knob'
import { ticksWithin } from './lines'
import classes from './Losses.module.css'

const LOW = 0.6
const HIGH = 1.5
const SCALES = Array.from({ length: 91 }, (_, i) => LOW + ((HIGH - LOW) * i) / 90)

interface Shown {
  name: string
  lam: number
  label: string
  unit: string
  /** written beside its curve; the others are in the table alone */
  drawn: boolean
}

function shown(chosen: LossEntry, title: (name: string) => string): Shown[] {
  const of = (name: string, label = title(name), unit = '', drawn = true, lam = LAMBDA[name] ?? 0.5): Shown => ({ name, lam, label, unit, drawn })
  const rows = [
    of('l1', 'L1', 'm'),
    of('l2', 'L2', 'm²'),
    of('eigen', `${title('eigen')}, λ = 0.5 (paper)`),
    of('eigen_as_released', title('eigen_as_released'), '', false),
    of('eigen', `${title('eigen')}, λ = 1`, '', true, 1),
    of('silog_sqrt', `${title('silog_sqrt')}, λ = 0.85`),
  ]
  const known = rows.some((row) => row.name === chosen.name) || !(chosen.name in SHAPES)
  const unit = chosen.name === 'huber_textbook' || chosen.name === 'kendall_gal' ? 'm²' : chosen.residual.startsWith('d') ? '' : 'm'
  return known ? rows : [...rows.slice(0, 2), of(chosen.name, chosen.title, unit), ...rows.slice(2)]
}

/** The prediction is the truth times a number: which losses mind. */
export function WrongScale({ loss }: { loss: LossEntry }) {
  const losses = useLosses()
  const scale = useSetting('scale', 1.3)
  const rows = useMemo(() => shown(loss, losses.title), [loss, losses])
  const lines = useMemo(
    (): PlotLine[] =>
      rows
        .filter((row) => row.drawn)
        .map((row) => ({ key: row.label, label: row.lam === 1 ? `${row.label}: costs nothing` : row.label.replace(' (paper)', ''), token: row.lam === 1 ? null : losses.token(row.name), strong: row.name === loss.name, points: relative(row) })),
    [rows, losses, loss.name],
  )
  const eigenDot = { key: 'free', x: scale.value, y: 0, token: null }
  return (
    <div className={classes.pair}>
      <section aria-label="What a wrong scale costs">
        <div className={classes.title}>
          <h3 className="section">What a wrong scale costs</h3>
          <Knob setting={scale} label="Prediction multiplied by" text={`prediction × ${fixed(scale.value, 2)}`} min={LOW} max={HIGH} step={0.01} />
        </div>
        <LinePlot
          lines={lines}
          dots={[eigenDot]}
          marks={[{ at: scale.value, solid: true }]}
          x={{ low: LOW, high: HIGH, ticks: ticksWithin(LOW, HIGH, 0.1), title: 'prediction multiplied by' }}
          y={{ low: -0.15, high: 1.3, ticks: [0, 0.5, 1], title: 'loss, relative to × 1.5' }}
          label="Cost of a prediction that is the ground truth times a number"
        />
      </section>
      <section aria-label="At this scale">
        <div className={classes.title}>
          <h3 className="section">At × {fixed(scale.value, 2)}</h3>
          <span className="secondary num">eight depths, mean {fixed(SCENE.reduce((a, b) => a + b) / SCENE.length, 1)} m</span>
        </div>
        <table className="table">
          <thead>
            <tr>
              <th>Loss</th>
              <th className="right">Cost</th>
              <th className={classes.after}>Scale invariant</th>
            </tr>
          </thead>
          <tbody>
            {rows.map((row) => (
              <tr key={row.label} data-strong={row.name === loss.name || undefined}>
                <td>
                  <span className={classes.named}>
                    <LossGlyph name={row.name} /> {row.label}
                  </span>
                </td>
                <td className="right num">{costText(scaleCost(row.name, scale.value, row.lam)!, row.unit)}</td>
                <td className={classes.after}>{invariance(row.name, row.lam).word}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </section>
    </div>
  )
}

function relative(row: Shown) {
  const whole = scaleCost(row.name, HIGH, row.lam)!
  return SCALES.map((x) => ({ x, y: whole < 1e-12 ? 0 : scaleCost(row.name, x, row.lam)! / whole }))
}

/** Three digits; what is only rounding is 0. */
function costText(cost: number, unit: string): string {
  const text = cost < 1e-12 ? '0' : fixed(cost, cost < 0.1 ? 4 : 3)
  return unit ? `${text} ${unit}` : text
}
