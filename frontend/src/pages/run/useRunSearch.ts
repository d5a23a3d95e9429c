import { useNavigate } from '@tanstack/react-router'
import { useMemo } from 'react'

import type { RunDetail } from '../../api/types'
import { useScheme } from '../../components/useScheme'
import type { Axis } from '../../lib/curves'
import { axesOf } from '../../lib/script'
import type { Look } from '../../lib/trainingFigure'
import { runRoute, type RunSearch } from '../../router'

export function useRunSearch(): [RunSearch, (patch: Partial<RunSearch>) => void] {
  const search = runRoute.useSearch()
  const { runId } = runRoute.useParams()
  const navigate = useNavigate()
  return [search, (patch) => void navigate({ to: '/runs/$runId', params: { runId }, search: (old: RunSearch) => ({ ...old, ...patch }), replace: true, resetScroll: false })]
}

/** The axis that was chosen, where the run has it. */
export function axisOf(run: RunDetail, chosen: string | undefined): Axis {
  const axes = axesOf(run)
  return axes.find((axis) => axis === chosen) ?? axes[0]!
}

/** How the run's small charts are drawn: along the axis chosen, to the end of the training. */
export function useLook(run: RunDetail): Look {
  const [search] = useRunSearch()
  const scheme = useScheme()
  const axis = axisOf(run, search.x)
  const end = endOf(run, axis)
  return useMemo(() => ({ scheme, axis, end, logY: search.y_log ?? false }), [scheme, axis, end, search.y_log])
}

function endOf(run: RunDetail, axis: Axis): number | null {
  if (run.steps === 0 || axis === 'hours') return null
  if (axis === 'step') return run.steps
  if (run.step === 0) return null
  return ((axis === 'epoch' ? run.epoch : run.images_seen) / run.step) * run.steps
}
