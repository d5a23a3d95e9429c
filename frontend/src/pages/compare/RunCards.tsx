import { ActionIcon } from '@mantine/core'
import { Link } from '@tanstack/react-router'

import type { ComparedRun } from '../../api/types'
import { Icon } from '../../components/icons'
import { LossGlyph } from '../../components/LossGlyph'
import { RunState } from '../../components/StateGlyph'
import { useLosses } from '../../components/useLosses'
import { metricWithUnit } from '../../lib/format'
import { isScript } from '../../lib/script'
import classes from './Compare.module.css'

interface Props {
  ids: readonly number[]
  compared: readonly ComparedRun[]
  onRemove: (id: number) => void
  lifted: number | null
  onLift: (id: number | null) => void
}

/** The runs with their letters: the legend of every figure of the page. */
export function RunCards({ ids, compared, onRemove, lifted, onLift }: Props) {
  const rmse = useLosses().metric('rmse')
  return (
    <ul className={classes.cards} aria-label="Runs compared">
      {ids.map((id) => {
        const known = compared.find(({ run }) => run.id === id)
        return (
          <li key={id} className={classes.card} data-lifted={lifted === id || undefined} onMouseEnter={() => onLift(id)} onMouseLeave={() => onLift(null)} onFocus={() => onLift(id)} onBlur={() => onLift(null)}>
            {known ? (
              <>
                <b className={classes.letter}>{known.letter}</b>
                <LossGlyph name={known.look} line />
                <Link to="/runs/$runId" params={{ runId: String(id) }} className={`ellipsis ${classes.name}`} title={`${known.label}, run ${id}`}>
                  {known.label}
                </Link>
                {known.run.status !== 'finished' && <RunState run={known.run} />}
                {!isScript(known.run) && known.run.metrics?.rmse != null && <span className="secondary num">RMSE {metricWithUnit(known.run.metrics.rmse, rmse)}</span>}
              </>
            ) : (
              <span className="secondary">run {id}</span>
            )}
            <ActionIcon variant="subtle" color="gray" size="sm" aria-label={`Take run ${id} out`} onClick={() => onRemove(id)}>
              <Icon name="close" size={12} />
            </ActionIcon>
          </li>
        )
      })}
    </ul>
  )
}
