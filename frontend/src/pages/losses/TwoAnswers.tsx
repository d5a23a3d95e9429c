import { useMemo } from 'react'

import type { LossEntry } from '../../api/types'
import { LinePlot, type PlotLine } from '../../components/LinePlot'
import { LossGlyph } from '../../components/LossGlyph'
import { useLosses } from '../../components/useLosses'
import { fixed, percent } from '../../lib/format'
import { bimodalCost, cheapest, FAR, LAMBDA, NEAR } from '../../lib/lossShapes'
import { Knob, useSetting } from './Knob'
import { COMPARED, ticksWithin } from './lines'
import classes from './Losses.module.css'

const LOW = 1.5
const HIGH = 4.5
const PREDICTIONS = Array.from({ length: 121 }, (_, i) => LOW + ((HIGH - LOW) * i) / 120)

interface Answer {
  name: string
  from: number
  to: number
  cost: number
}

/** At the edge of a chair the same picture can mean two depths: where each loss then puts the prediction. */
export function TwoAnswers({ loss }: { loss: LossEntry }) {
  const losses = useLosses()
  const p = useSetting('p', 0.6)
  const c = useSetting('c', 0.4).value
  const share = p.value
  const names = useMemo(() => [...COMPARED.filter((name) => name !== loss.name), ...(bimodalCost(loss.name, NEAR, 0.5, { c, lam: 0.5, s: 0 }) === null ? [] : [loss.name])], [loss.name, c])
  const { lines, answers } = useMemo(() => {
    const knobs = (name: string) => ({ c, lam: LAMBDA[name] ?? 0.5, s: 0 })
    const cost = (name: string, pred: number) => bimodalCost(name, pred, share, knobs(name))!
    const drawn = names.map((name) => {
      const costs = PREDICTIONS.map((pred) => cost(name, pred))
      return { name, top: Math.max(...costs), costs }
    })
    const answers: Answer[] = drawn.map(({ name, top }) => {
      const [from, to] = cheapest(name, share, knobs(name))!
      return { name, from, to, cost: cost(name, (from + to) / 2) / top }
    })
    const lines: PlotLine[] = drawn.map(({ name, top, costs }) => ({ key: name, label: losses.title(name), token: losses.token(name), strong: name === loss.name, points: costs.map((y, i) => ({ x: PREDICTIONS[i]!, y: y / top })) }))
    return { lines, answers }
  }, [names, share, c, losses, loss.name])
  return (
    <div className={classes.pair}>
      <section aria-label="A pixel with two depths">
        <div className={classes.title}>
          <h3 className="section">A pixel with two depths</h3>
          <Knob setting={p} label="Share that is 2 m" text={`${percent(share)} at ${NEAR} m, ${percent(1 - share)} at ${FAR} m`} min={0} max={1} step={0.05} />
        </div>
        <LinePlot
          lines={lines}
          dots={answers.map((answer) => ({ key: answer.name, x: (answer.from + answer.to) / 2, y: answer.cost, token: losses.token(answer.name) }))}
          marks={[{ at: NEAR }, { at: FAR }]}
          x={{ low: LOW, high: HIGH, ticks: ticksWithin(LOW, HIGH, 0.5), title: 'prediction (m)' }}
          y={{ low: 0, high: 1.05, ticks: [0, 0.5, 1], title: 'expected loss, of its largest' }}
          label="Expected loss of a pixel with two depths against the prediction"
        />
      </section>
      <section aria-label="Where the prediction lands">
        <div className={classes.title}>
          <h3 className="section">Where the prediction lands</h3>
          <span className="secondary num">mean {fixed(meanDepth(share), 2)} m</span>
        </div>
        <table className="table">
          <thead>
            <tr>
              <th>Loss</th>
              <th className="right">Cheapest prediction</th>
              <th className={classes.after}>What that is</th>
            </tr>
          </thead>
          <tbody>
            {answers.toSorted((a, b) => order(a.name) - order(b.name)).map((answer) => (
              <tr key={answer.name} data-strong={answer.name === loss.name || undefined}>
                <td>
                  <span className={classes.named}>
                    <LossGlyph name={answer.name} /> {losses.title(answer.name)}
                  </span>
                </td>
                <td className="right num">{landing(answer)}</td>
                <td className={classes.after}>{meaning(answer, share)}</td>
              </tr>
            ))}
          </tbody>
        </table>
        <p className={`secondary ${classes.moral}`}>What lies between the two is the depth of nothing: an edge drawn there is blurred. L1 takes a side, and keeps the edge sharp even where it takes the wrong one.</p>
      </section>
    </div>
  )
}

const order = (name: string) => (COMPARED.includes(name) ? COMPARED.indexOf(name) : COMPARED.length)
const meanDepth = (p: number) => p * NEAR + (1 - p) * FAR
const close = (a: number, b: number) => Math.abs(a - b) < 0.004

function landing({ from, to }: Answer): string {
  return close(from, to) ? `${fixed(from, 2)} m` : `${fixed(from, 2)} to ${fixed(to, 2)} m`
}

function meaning({ from, to }: Answer, p: number): string {
  if (!close(from, to)) return 'any of these'
  if (close(from, NEAR) || close(from, FAR)) return p === 0 || p === 1 ? 'the one depth there is' : 'the likelier depth'
  if (close(from, meanDepth(p))) return 'the mean: neither depth'
  if (close(from, NEAR ** p * FAR ** (1 - p))) return 'the geometric mean: neither'
  return 'between: neither depth'
}
