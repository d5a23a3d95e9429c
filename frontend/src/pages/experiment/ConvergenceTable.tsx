import { useMemo, useRef, type KeyboardEvent } from 'react'

import { Icon } from '../../components/icons'
import { TraceGlyph } from '../../components/TraceGlyph'
import { useLosses } from '../../components/useLosses'
import { useObserved } from '../../components/useObserved'
import { standAt, type Align } from '../../lib/crosshair'
import { best, indexAt, type PanelLine, type PanelValues } from '../../lib/figure'
import { fixed, isShare, NONE, signed } from '../../lib/format'
import { BEYOND, exceedsNoise, NOISE_RULE, type Mean } from '../../lib/noise'
import type { Observed } from '../../lib/observed'
import { isolated, toggled, type Shown } from '../../lib/shown'
import classes from './Convergence.module.css'
import { lengthWords, positionOf } from './positionWords'

interface Props {
  panels: PanelValues[]
  hover: Observed<number | null>
  /** where a click has left the crosshair */
  pinned: number | undefined
  align: Align
  metric: string
  axis: string
  /** the line that differences are taken to */
  base: string
  onBase: (group: string) => void
  target: boolean
  hidden: ReadonlySet<string>
  onShown: (shown: Shown, replace: boolean) => void
  lifted: Observed<string | null>
  onStep: (at: number) => void
}

const STEP = 0.02

/** Values at the crosshair, differences to a pinned line, the best so far and the target, a group of columns a panel. */
export function ConvergenceTable(props: Props) {
  const { panels, hover, pinned, align, base, target, onStep } = props
  const at = useObserved(hover) ?? pinned ?? 1
  const rows = useMemo(() => [...new Map(panels.flatMap((panel) => panel.lines).map((line) => [line.group, line])).values()], [panels])
  const step = (event: KeyboardEvent) => {
    const move = { ArrowLeft: -STEP, ArrowRight: STEP }[event.key]
    if (!move) return
    event.preventDefault()
    onStep(Number(Math.min(1, Math.max(0, at + move)).toFixed(4)))
  }
  const xs = new Map(panels.map((panel) => [panel.axis, standAt(panel, at, align, panels)]))
  return (
    <div className="scroll-x" tabIndex={0} role="region" onKeyDown={step} aria-label="Values at the crosshair; the arrow keys move it">
      <table className={`table ${classes.table}`}>
        <thead>
          <tr>
            <td />
            {panels.map((panel) => {
              const stand = xs.get(panel.axis)!
              return (
                <th key={panel.axis} colSpan={target ? 4 : 3} scope="colgroup" className={classes.panel}>
                  <b className="strong">{panel.title.split(' · n')[0]}</b>
                  <span className="num"> · {stand.ended ? `ended at ${lengthWords(props.axis, panel.end)}` : positionOf(props.axis, stand.x, panel.end)}</span>
                </th>
              )
            })}
          </tr>
          <tr>
            <th scope="col">Line</th>
            {panels.map((panel) => (
              <Heads key={panel.axis} last={at >= 1} base={base} target={target} />
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <Row key={row.group} row={row} all={rows} xs={xs} {...props} />
          ))}
        </tbody>
      </table>
    </div>
  )
}

function Heads({ last, base, target }: { last: boolean; base: string; target: boolean }) {
  return (
    <>
      <th scope="col" className={classes.first} title={last ? 'The exact mean of the last evaluation that each line has, not smoothed' : 'The exact mean of the last evaluation up to the crosshair, not smoothed'}>
        {last ? 'Last evaluation' : 'At crosshair'}
      </th>
      <th scope="col" className="right" title={NOISE_RULE}>
        Δ to {base.length > 14 ? 'base' : base}
      </th>
      <th scope="col" className="right" title="The best mean of all evaluations">
        Best
      </th>
      {target && (
        <th scope="col" className="right" title="Where the mean first reaches the target">
          To target
        </th>
      )}
    </>
  )
}

interface RowProps extends Props {
  row: PanelLine
  all: PanelLine[]
  xs: Map<string, { x: number }>
}

function Row({ row, all, xs, panels, base, onBase, target, hidden, onShown, lifted, metric, axis }: RowProps) {
  const entry = useLosses().metric(metric)
  const digits = isShare(entry) ? 1 : 3
  const lower = entry?.lower_is_better ?? true
  const stands = useObserved(lifted) === row.group
  const gone = hidden.has(row.group)
  return (
    <tr data-base={row.group === base || undefined} data-lifted={stands || undefined} data-hidden={gone || undefined} onPointerEnter={() => lifted.set(row.group)} onPointerLeave={() => lifted.set(null)}>
      <td>
        <span className={classes.line}>
          <HideButton row={row} names={all.map((line) => line.group)} hidden={hidden} onShown={onShown} thick={row.group === base} />
          <button type="button" className={classes.pick} aria-pressed={row.group === base} onClick={() => onBase(row.group)} title={`Take differences to ${row.group}`}>
            <span className="ellipsis">{row.group}</span>
            {row.group === base && <Icon name="pin" size={12} />}
          </button>
        </span>
      </td>
      {panels.map((panel) => (
        <Cells key={panel.axis} panel={panel} group={row.group} base={base} x={xs.get(panel.axis)!.x} digits={digits} lower={lower} target={target} axis={axis} />
      ))}
    </tr>
  )
}

/** A click hides the line, a double click shows it alone. */
function HideButton({ row, names, hidden, onShown, thick }: { row: PanelLine; names: string[]; hidden: ReadonlySet<string>; onShown: Props['onShown']; thick: boolean }) {
  const before = useRef(hidden)
  return (
    <button
      type="button"
      className={classes.glyph}
      aria-pressed={!hidden.has(row.group)}
      aria-label={`Show ${row.group}`}
      title="Click hides or shows, double click shows it alone"
      onClick={(event) => {
        if (event.detail === 2) return onShown(isolated(names, before.current, row.group), true)
        before.current = hidden
        onShown(toggled(names, hidden, row.group), false)
      }}
    >
      <TraceGlyph {...row} thick={thick} />
    </button>
  )
}

interface CellsProps {
  panel: PanelValues
  group: string
  base: string
  x: number
  digits: number
  lower: boolean
  target: boolean
  axis: string
}

function Cells({ panel, group, base, x, digits, lower, target, axis }: CellsProps) {
  const find = (name: string) => panel.lines.find((line) => line.group === name)
  const line = find(group)
  const i = line ? indexAt(line, x) : -1
  const own = meanAt(line, x)
  const reference = meanAt(find(base), x)
  return (
    <>
      <td className={`num ${classes.first}`}>
        {own ? fixed(own.value, digits) : NONE} <span className={classes.spread}>{line && i >= 0 && spreadWords(line, i)}</span>
      </td>
      <td className="right num">
        <Delta own={own} base={group === base ? null : reference} digits={digits} lower={lower} />
      </td>
      <td className="right num">{line ? fixed(best(line, lower), digits) : NONE}</td>
      {target && <td className="right num">{line ? targetWords(line, axis) : NONE}</td>}
    </>
  )
}

/** The band, and n where it is not that of the panel. */
function spreadWords(line: PanelLine, i: number): string {
  const few = line.n[i]! < Math.max(...line.n)
  return [line.spreads[i], few && `n = ${line.n[i]}`].filter(Boolean).join(', ')
}

function targetWords(line: PanelLine, axis: string): string {
  if (line.reached !== null) return lengthWords(axis, line.reached)
  return line.going ? 'not yet' : 'never'
}

function meanAt(line: PanelLine | undefined, x: number): Mean | null {
  const i = line ? indexAt(line, x) : -1
  return line && i >= 0 ? { value: line.y[i]!, std: line.std[i]!, n: line.n[i]! } : null
}

/** A difference with sign and arrow; with colour where it lies beyond two standard errors. */
function Delta({ own, base, digits, lower }: { own: Mean | null; base: Mean | null; digits: number; lower: boolean }) {
  if (!own || !base) return NONE
  const value = own.value - base.value
  const text = signed(value, digits)
  if (Number(value.toFixed(digits)) === 0) return text.replace(/^[+−]/, '')
  const good = value < 0 === lower
  const beyond = exceedsNoise(own, base)
  return (
    <span className={beyond ? (good ? classes.good : classes.bad) : classes.even} title={beyond ? BEYOND : undefined}>
      {text} <span aria-hidden>{value < 0 ? '▼' : '▲'}</span>
      {beyond && <span className="hidden-text">{BEYOND}</span>}
    </span>
  )
}
