import { useQuery } from '@tanstack/react-query'

import { figuresQuery } from '../../api/queries'
import type { Results } from '../../api/types'
import { Control, FigureControls } from '../../components/FigureControls'
import { levels } from '../../lib/results'
import { useExperimentSearch } from './useExperimentSearch'

/** Which rows of a table are shown: the size and encoder, among those there are. */
export function DataChoice({ data }: { data: Results }) {
  const [search, change] = useExperimentSearch()
  const sizes = levels(data.rows, 'train_size').map(String)
  const encoders = levels(data.rows, 'encoder')
  return (
    <>
      {sizes.length > 1 && (
        <Control option="train_size" values={['all', ...sizes]} value={String(search.train_size ?? 'all')} onChoose={(v) => change({ train_size: v === 'all' ? undefined : Number(v) })} />
      )}
      {encoders.length > 1 && <Control option="encoder" values={['all', ...encoders]} value={search.encoder ?? 'all'} onChoose={(v) => change({ encoder: v === 'all' ? undefined : v })} />}
    </>
  )
}

/** By which protocol the table speaks, where the experiment's runs have several: their own, and those they were scored again by. */
export function ProtocolChoice({ experimentId, name }: { experimentId: number; name: string }) {
  const [search, change] = useExperimentSearch()
  const protocol = useQuery(figuresQuery(experimentId)).data?.find((figure) => figure.name === name)?.options.protocol ?? []
  return <FigureControls options={{ protocol }} chosen={search} onChoose={(_, value) => change({ protocol: value })} />
}
