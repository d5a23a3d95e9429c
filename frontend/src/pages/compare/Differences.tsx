import type { Comparison, DifferenceRow } from '../../api/types'
import { LossGlyph } from '../../components/LossGlyph'
import { byGroup, oddOnes } from '../../lib/compare'
import { NONE, plural, settingValue } from '../../lib/format'
import { settingTitle } from '../../lib/schema'
import classes from './Compare.module.css'

/** What tells the runs apart, then what they share, folded. Values that fewer runs have stand out by their weight. */
export function Differences({ comparison }: { comparison: Comparison }) {
  const differing = comparison.rows.filter((row) => row.differs)
  const same = comparison.rows.filter((row) => !row.differs)
  return (
    <>
      {differing.length > 0 ? (
        <Table comparison={comparison} rows={differing} label="What differs" />
      ) : (
        <p className={classes.nothing}>{comparison.runs.length > 1 ? 'These runs have the same settings, data, code and environment.' : 'One run alone differs from nothing: add another.'}</p>
      )}
      <details className={classes.same}>
        <summary>{plural(same.length, 'thing')} the same in all</summary>
        <Table comparison={comparison} rows={same} label="What is the same" alike />
      </details>
    </>
  )
}

function Table({ comparison, rows, label, alike = false }: { comparison: Comparison; rows: readonly DifferenceRow[]; label: string; alike?: boolean }) {
  const shown = alike ? comparison.runs.slice(0, 1) : comparison.runs
  return (
    <div className="scroll-x" tabIndex={0} role="region" aria-label={label}>
      <table className={`table ${classes.table}`}>
        <thead>
          <tr>
            <th scope="col">Name</th>
            {shown.map(({ letter, look, label: words, run }) => (
              <th key={run.id} scope="col" title={words}>
                {alike ? 'All' : <span className={classes.head}><b className={classes.letter}>{letter}</b> <LossGlyph name={look} /> <span className="ellipsis">{words}</span></span>}
              </th>
            ))}
          </tr>
        </thead>
        {byGroup(rows).map((part) => (
          <tbody key={part.title}>
            <tr className={classes.part}>
              <th colSpan={shown.length + 1} scope="colgroup">
                {part.title}
              </th>
            </tr>
            {part.rows.map((row) => (
              <Row key={row.path} row={row} alike={alike} />
            ))}
          </tbody>
        ))}
      </table>
    </div>
  )
}

function Row({ row, alike }: { row: DifferenceRow; alike: boolean }) {
  const odd = oddOnes(row.values)
  const path = row.path.replace(/^run\./, '')
  return (
    <tr>
      <th scope="row" title={path}>
        {titleOf(row.group, path)} <span className={classes.path}>{row.group === 'setting' && path.includes('.') ? path : ''}</span>
      </th>
      {row.values.slice(0, alike ? 1 : undefined).map((value, i) => (
        <td key={i} className={odd[i] ? classes.odd : undefined} title={String(value ?? '')}>
          {value === null || value === undefined ? NONE : shortened(settingValue(value))}
        </td>
      ))}
    </tr>
  )
}

function titleOf(group: DifferenceRow['group'], path: string): string {
  if (path === 'loss.name') return 'loss'
  return group === 'setting' ? settingTitle(path) : path.replaceAll('_', ' ')
}

/** A fingerprint by its beginning; the whole is in the title. */
function shortened(text: string): string {
  return /^[0-9a-f]{32,}$/.test(text) ? `${text.slice(0, 10)}…` : text
}
