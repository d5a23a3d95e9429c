import type { KeyboardEvent } from 'react'

import { LossName } from '../../components/LossGlyph'
import { useLosses } from '../../components/useLosses'
import { best, indexAt, type PanelLine, type PanelValues } from '../../lib/figure'
import { count, duration, fixed, isShare, NONE, signed } from '../../lib/format'
import classes from './Convergence.module.css'

interface Props {
  panels: PanelValues[]
  /** share of the training */
  at: number
  metric: string
  axis: string
  /** the loss that differences are taken to */
  base: string
  onBase: (group: string) => void
  lifted: string | null
  onLift: (group: string | null) => void
  onStep: (at: number) => void
}

/** Values at the crosshair, differences to a pinned loss, and the best so far, a group of columns a panel. */
export function ConvergenceTable({ panels, at, metric, axis, base, onBase, lifted, onLift, onStep }: Props) {
  const entry = useLosses().metric(metric)
  const digits = isShare(entry) ? 1 : 3
  const lower = entry?.lower_is_better ?? true
  const rows = [...new Map(panels.flatMap((panel) => panel.lines).map((line) => [line.group, line])).values()]
  const step = (event: KeyboardEvent) => {
    const move = { ArrowLeft: -0.02, ArrowRight: 0.02 }[event.key]
    if (!move) return
    event.preventDefault()
    onStep(Number(Math.min(1, Math.max(0, at + move)).toFixed(4)))
  }
  return (
    <div className="scroll-x" tabIndex={0} role="region" onKeyDown={step} aria-label="Values at the crosshair; the arrow keys move it">
      <table className={`table ${classes.table}`}>
        <thead>
          <tr>
            <td />
            {panels.map((panel) => (
              <th key={panel.axis} colSpan={3} scope="colgroup" className={classes.panel}>
                <b className="strong">{panel.title.split(' · n')[0]}</b>
                <span className="num">
                  {' '}
                  · {axis === 'images' ? `${count(at * panel.end)} of ${count(panel.end)} images` : axis === 'hours' ? `${duration(3600 * at * panel.end)} of ${duration(3600 * panel.end)}` : `${axis} ${position(at * panel.end)} of ${position(panel.end)}`}
                </span>
              </th>
            ))}
          </tr>
          <tr>
            <th scope="col">Loss</th>
            {panels.flatMap((panel) => [
              <th key={`${panel.axis}v`} scope="col" className={classes.first}>
                {at >= 1 ? 'Latest' : 'At crosshair'}
              </th>,
              <th key={`${panel.axis}d`} scope="col" className="right">
                Δ to base
              </th>,
              <th key={`${panel.axis}b`} scope="col" className="right">
                Best
              </th>,
            ])}
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <tr
              key={row.group}
              data-base={row.group === base || undefined}
              data-lifted={row.group === lifted || undefined}
              onPointerEnter={() => onLift(row.group)}
              onPointerLeave={() => onLift(null)}
            >
              <td>
                <button type="button" className={classes.pick} aria-pressed={row.group === base} onClick={() => onBase(row.group)} title="Take differences to this loss">
                  <LossName name={row.loss} label={row.group} line />
                  {row.group === base && <span className="secondary">base</span>}
                </button>
              </td>
              {panels.map((panel) => (
                <Cells key={panel.axis} panel={panel} group={row.group} base={base} x={at * panel.end} digits={digits} lower={lower} />
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  )
}

function position(value: number): string {
  return value < 100 ? fixed(value, value < 10 ? 1 : 0) : count(value)
}

interface CellsProps {
  panel: PanelValues
  group: string
  base: string
  x: number
  digits: number
  lower: boolean
}

function Cells({ panel, group, base, x, digits, lower }: CellsProps) {
  const find = (name: string) => panel.lines.find((line) => line.group === name)
  const line = find(group)
  const i = line ? indexAt(line, x) : -1
  const value = line && i >= 0 ? line.y[i]! : null
  const reference = valueAt(find(base), x)
  const note = line && i >= 0 ? line.notes[i] : undefined
  return (
    <>
      <td className={`num ${classes.first}`}>
        {fixed(value, digits)} <span className="secondary">{note?.spread}</span>
      </td>
      <td className="right num">
        <Delta value={value !== null && reference !== null && group !== base ? value - reference : null} digits={digits} lower={lower} />
      </td>
      <td className="right num">{line ? fixed(best(line, lower), digits) : NONE}</td>
    </>
  )
}

function valueAt(line: PanelLine | undefined, x: number): number | null {
  const i = line ? indexAt(line, x) : -1
  return line && i >= 0 ? line.y[i]! : null
}

/** A difference with sign, arrow and colour. */
function Delta({ value, digits, lower }: { value: number | null; digits: number; lower: boolean }) {
  if (value === null) return NONE
  const text = signed(value, digits)
  if (Number(value.toFixed(digits)) === 0) return text.replace(/^[+−]/, '')
  const good = value < 0 === lower
  return (
    <span className={good ? classes.good : classes.bad}>
      {text} <span aria-hidden>{value < 0 ? '▼' : '▲'}</span>
      <span className="hidden-text">{good ? 'better' : 'worse'}</span>
    </span>
  )
}
