import { useQuery } from '@tanstack/react-query'
import { useMemo } from 'react'

import { catalogueQuery } from '../api/queries'
import type { MetricEntry } from '../api/types'
import { lossToken, type LossToken } from '../lib/losses'

export interface Losses {
  title: (name: string) => string
  token: (name: string) => LossToken
  encoder: (name: string) => string
  metric: (name: string) => MetricEntry | undefined
}

/** Titles and identities from the catalogue; until it is there, names and the design's own table. */
export function useLosses(): Losses {
  const { data } = useQuery(catalogueQuery())
  return useMemo(
    () => ({
      title: (name) => data?.losses.find((loss) => loss.name === name)?.title ?? name,
      token: (name) => lossToken(name, data?.losses),
      encoder: (name) => data?.encoders.find((encoder) => encoder.name === name)?.title ?? name,
      metric: (name) => data?.metrics.find((metric) => metric.name === name),
    }),
    [data],
  )
}
