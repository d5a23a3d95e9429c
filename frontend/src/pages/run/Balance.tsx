import { useMemo } from 'react'

import type { RunDetail, Series } from '../../api/types'
import { Chart } from '../../components/Chart'
import { balanceWords, lastSmoothed } from '../../lib/balance'
import { fixed } from '../../lib/format'
import { balanceFigure, resumedAfter } from '../../lib/trainingFigure'
import { InView } from './InView'
import { PART_HEIGHT } from './Part'
import classes from './Run.module.css'
import { useLook } from './useRunSearch'

interface Props {
  real: Series
  fake: Series
  weight: number
  run: RunDetail
}

/** Whether the discriminator can tell the predictions from ground truth: its two scores in one panel. */
export function Balance({ real, fake, weight, run }: Props) {
  const look = useLook(run)
  const { attempts } = run
  const figure = useMemo(() => balanceFigure(real, fake, weight, look, { resumed: resumedAfter(attempts) }), [real, fake, weight, look, attempts])
  const now = { real: lastSmoothed(real), fake: lastSmoothed(fake) }
  return (
    <figure className={`${classes.part} ${classes.balance}`}>
      <figcaption className="spread">
        <b className="strong">D/G balance</b>
        <span className={`secondary num ${classes.keys}`}>
          <span>
            <Stroke /> ground truth {fixed(now.real, 2)}
          </span>
          <span>
            <Stroke dash="4 3" /> predictions {fixed(now.fake, 2)}
          </span>
        </span>
      </figcaption>
      <InView height={PART_HEIGHT}>
        <Chart key={look.axis} figure={figure} height={PART_HEIGHT} label="Scores of the discriminator over training" />
      </InView>
      <p className="secondary">
        {balanceWords(now.real, now.fake)} Healthy: both scores near 0.5, the discriminator loss and the adversarial part near 0.25, which is where D cannot tell predictions from
        ground truth (Mao et al., Least Squares GAN, 2017).
      </p>
    </figure>
  )
}

function Stroke({ dash }: { dash?: string }) {
  return (
    <svg width="18" height="8" viewBox="0 0 18 8" aria-hidden focusable="false">
      <path d="M0 4H18" stroke="currentColor" strokeWidth="1.75" strokeDasharray={dash} />
    </svg>
  )
}
