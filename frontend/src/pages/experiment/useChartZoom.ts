import { useCallback, useMemo } from 'react'

import { axisZoomText, parseAxisZoom, type AxisZoom } from '../../lib/axisZoom'
import { useExperimentSearch } from './useExperimentSearch'

/** What part of its axes the chart shows, in the address: into a zoom and out of it are steps that Back undoes, and within it none. */
export function useChartZoom(follow?: (next: AxisZoom, before: AxisZoom) => AxisZoom): [AxisZoom, (zoom: AxisZoom) => void] {
  const [search, change] = useExperimentSearch()
  const text = typeof search.zoom === 'string' ? search.zoom : undefined
  const zoom = useMemo(() => parseAxisZoom(text), [text])
  const onZoom = useCallback(
    (wanted: AxisZoom) => {
      const next = axisZoomText(follow ? follow(wanted, zoom) : wanted)
      if (next !== text) change({ zoom: next }, next !== undefined && text !== undefined)
    },
    [change, follow, text, zoom],
  )
  return [zoom, onZoom]
}
