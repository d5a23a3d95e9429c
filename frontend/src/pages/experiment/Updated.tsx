import { useNow } from '../../components/useNow'
import { duration } from '../../lib/format'

/** When the numbers on the page were last read. */
export function Updated({ at }: { at: number }) {
  const now = useNow(true)
  const seconds = Math.max(0, (now - at) / 1000)
  return <span>updated {seconds < 1 ? 'now' : `${duration(seconds)} ago`}</span>
}
