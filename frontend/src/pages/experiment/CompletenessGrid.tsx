import type { KeyboardEvent } from 'react'

import type { RunSummary } from '../../api/types'
import { lossLabel, LossName } from '../../components/LossGlyph'
import { STATE_WORDS, StateGlyph } from '../../components/StateGlyph'
import { useKeys } from '../../components/useKeys'
import { useLosses, type Losses } from '../../components/useLosses'
import { cellWords } from '../../lib/experiment'
import { count, duration, metricWithUnit, parseTime, settingValue } from '../../lib/format'
import { cellState, isGap, markState, otherLevels, type Grid, type GridRow, type Mark, type Placed } from '../../lib/grid'
import { settingTitle } from '../../lib/schema'
import classes from './CompletenessGrid.module.css'
import { useGridTip } from './useGridTip'

interface Props {
  grid: Grid
  selected?: number
  /** those that Shift-click chose */
  chosen?: ReadonlySet<number>
  onSelect: (mark: Mark) => void
  /** up to this one, from the selected one on */
  onRange: (mark: Mark) => void
  onOpen: (mark: Mark) => void
}

/** Every cell of the experiment as one mark: losses down, sizes across, encoders side by side. */
export function CompletenessGrid({ grid, selected, chosen, onSelect, onRange, onOpen }: Props) {
  const first = grid.groups[0]?.columns[0]?.cells.values().next().value?.[0]?.id
  const tip = useGridTip()
  useKeys('completeness')
  return (
    <div className={classes.frame} onKeyDown={moveFocus} {...tip.handlers}>
      <div className="scroll-x">
        <table className={classes.grid} aria-label="Runs by loss, encoder and size">
          <Head grid={grid} />
          <tbody>
            {grid.rows.map((row, i) => (
              <tr key={row.label}>
                <th scope="row">
                  <LossName name={row.loss} label={row.label} line />
                </th>
                <Cells grid={grid} row={row} rowIndex={i} reached={selected ?? first} marked={selected} chosen={chosen} onSelect={onSelect} onRange={onRange} onOpen={onOpen} />
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      {tip.shown}
    </div>
  )
}

function Head({ grid }: { grid: Grid }) {
  const { encoder } = useLosses()
  const datasets = new Set(grid.groups.map((group) => group.dataset))
  return (
    <thead>
      <tr>
        <td />
        {grid.groups.map((group) => (
          <th key={group.dataset + group.encoder} colSpan={group.columns.length} scope="colgroup" className={classes.encoder}>
            {encoder(group.encoder)}
            {datasets.size > 1 && <span className="secondary"> {group.dataset}</span>}
          </th>
        ))}
      </tr>
      <tr>
        <td />
        {grid.groups.flatMap((group) =>
          group.columns.map((column) => (
            <th key={`${group.dataset}${group.encoder}${column.size}`} scope="col" className={classes.size}>
              {count(column.size)} {column.size === 1 ? 'image' : 'images'}
            </th>
          )),
        )}
      </tr>
    </thead>
  )
}

interface CellsProps extends Omit<Props, 'selected'> {
  row: GridRow
  rowIndex: number
  /** the one mark that the tab key reaches: arrows go on from there */
  reached?: number
  marked?: number
}

function Cells({ grid, row, rowIndex, reached, marked, chosen, onSelect, onRange, onOpen }: CellsProps) {
  const losses = useLosses()
  const keys = (event: KeyboardEvent, mark: Mark) => {
    if (event.key === 'Enter') event.preventDefault()
    if (event.key === 'Enter') return onOpen(mark)
    if (event.key !== ' ' || !event.shiftKey) return
    event.preventDefault()
    onRange(mark)
  }
  return grid.groups.flatMap((group) =>
    group.columns.map((place) => (
      <td key={`${group.dataset}${group.encoder}${place.size}`}>
        <span className={classes.cell}>
          {(place.cells.get(row.label) ?? []).map((mark, i) => (
            <button
              key={mark.id}
              type="button"
              className={classes.mark}
              data-row={rowIndex}
              data-column={place.start + i}
              data-chosen={chosen?.has(mark.id) || undefined}
              aria-pressed={mark.id === marked}
              tabIndex={mark.id === reached ? 0 : -1}
              aria-label={markLabel(mark, losses)}
              onKeyDown={(event) => keys(event, mark)}
              onClick={(event) => (event.shiftKey ? onRange(mark) : onSelect(mark))}
            >
              <StateGlyph state={markState(mark)} progress={isGap(mark) ? 0 : mark.step / Math.max(1, mark.steps)} />
            </button>
          ))}
        </span>
      </td>
    )),
  )
}

export function runWords(run: Placed & { levels?: Record<string, unknown> }, losses: Losses): string {
  const others = otherLevels(run).map(([path, level]) => `${settingTitle(path)} ${settingValue(level)}`)
  return [cellWords(run, losses), ...others].join(' · ')
}

/** Which cell, how it stands, its value and how long it took. */
function markLabel(mark: Mark, losses: Losses): string {
  const which = `${lossLabel(mark.loss, mark.loss_label, losses.title)} · ${runWords(mark, losses)}`
  if (isGap(mark)) return `${which}: missing, no run yet`
  const words = mark.status === 'running' ? `${Math.floor((100 * mark.step) / Math.max(1, mark.steps))} %` : STATE_WORDS[cellState(mark)]
  return [`${which}: ${words}`, mark.metrics?.rmse != null && `RMSE ${metricWithUnit(mark.metrics.rmse, { unit: 'm' })}`, tookWords(mark)].filter(Boolean).join(', ')
}

function tookWords(run: RunSummary): string {
  if (!run.started_at) return ''
  if (run.finished_at) return `took ${duration((parseTime(run.finished_at) - parseTime(run.started_at)) / 1000)}`
  return run.eta_seconds === null ? '' : `${duration(run.eta_seconds)} left`
}

const ARROWS: Record<string, [number, number]> = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] }

/** Arrow keys walk over the marks; a place without a run is stepped over. */
function moveFocus(event: KeyboardEvent<HTMLElement>) {
  const move = ARROWS[event.key]
  const from = (event.target as HTMLElement).closest<HTMLElement>('[data-row]')
  if (!move || !from) return
  event.preventDefault()
  let [row, column] = [Number(from.dataset.row), Number(from.dataset.column)]
  for (let i = 0; i < 40; i++) {
    row += move[0]
    column += move[1]
    const next = event.currentTarget.querySelector<HTMLElement>(`[data-row="${row}"][data-column="${column}"]`)
    if (next) return next.focus()
  }
}
