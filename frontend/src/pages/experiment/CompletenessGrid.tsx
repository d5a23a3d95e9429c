import { useMemo, type KeyboardEvent } from 'react'

import type { RunSummary } from '../../api/types'
import { LossName } from '../../components/LossGlyph'
import { STATE_WORDS, StateGlyph } from '../../components/StateGlyph'
import { useLosses, type Losses } from '../../components/useLosses'
import { cellWords } from '../../lib/experiment'
import { count, metricWithUnit, settingValue } from '../../lib/format'
import { cellState, completeness, otherLevels, type Grid, type GridRow } from '../../lib/grid'
import { settingTitle } from '../../lib/schema'
import classes from './CompletenessGrid.module.css'

interface Props {
  runs: RunSummary[]
  selected?: number
  onSelect: (run: RunSummary) => void
}

/** Every run of the experiment as one mark: losses down, sizes across, encoders side by side. */
export function CompletenessGrid({ runs, selected, onSelect }: Props) {
  const grid = useMemo(() => completeness(runs), [runs])
  return (
    <div className="scroll-x" onKeyDown={moveFocus}>
      <table className={classes.grid} aria-label="Runs by loss, encoder and size">
        <Head grid={grid} />
        <tbody>
          {grid.rows.map((row, i) => (
            <tr key={row.label}>
              <th scope="row">
                <LossName name={row.loss} label={row.label} line />
              </th>
              <Cells grid={grid} row={row} rowIndex={i} selected={selected ?? runs[0]?.id} marked={selected} onSelect={onSelect} />
            </tr>
          ))}
        </tbody>
      </table>
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

interface CellsProps {
  grid: Grid
  row: GridRow
  rowIndex: number
  /** the one mark that the tab key reaches: arrows go on from there */
  selected?: number
  marked?: number
  onSelect: (run: RunSummary) => void
}

function Cells({ grid, row, rowIndex, selected, marked, onSelect }: CellsProps) {
  const losses = useLosses()
  return grid.groups.flatMap((group) =>
    group.columns.map((place) => {
      const runs = place.cells.get(row.label) ?? []
      return (
        <td key={`${group.dataset}${group.encoder}${place.size}`}>
          <span className={classes.cell}>
            {runs.map((run, i) => (
              <button
                key={run.id}
                type="button"
                className={classes.mark}
                data-row={rowIndex}
                data-column={place.start + i}
                aria-pressed={run.id === marked}
                tabIndex={run.id === selected ? 0 : -1}
                aria-label={cellLabel(run, losses)}
                title={cellLabel(run, losses)}
                onClick={() => onSelect(run)}
              >
                <StateGlyph state={cellState(run)} progress={run.step / Math.max(1, run.steps)} />
              </button>
            ))}
          </span>
        </td>
      )
    }),
  )
}

export function runWords(run: RunSummary, losses: Losses): string {
  const others = otherLevels(run).map(([path, level]) => `${settingTitle(path)} ${settingValue(level)}`)
  return [cellWords(run, losses), ...others].join(' · ')
}

function cellLabel(run: RunSummary, losses: Losses): string {
  const state = cellState(run)
  const value = run.metrics?.rmse
  const words = run.status === 'running' ? `${Math.floor((100 * run.step) / run.steps)} %` : STATE_WORDS[state]
  return `${losses.title(run.loss)} · ${runWords(run, losses)}: ${words}${value == null ? '' : `, RMSE ${metricWithUnit(value, { unit: 'm' })}`}`
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
