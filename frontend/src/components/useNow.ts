import { useEffect, useState } from 'react'

/** The time, once a second while `active`, else once a minute: it moves words such as “3 min ago”, never data. */
export function useNow(active = false): number {
  const [now, setNow] = useState(() => Date.now())
  useEffect(() => {
    const tick = () => setNow(Date.now())
    const first = setTimeout(tick)
    const timer = setInterval(tick, active ? 1000 : 60_000)
    return () => {
      clearTimeout(first)
      clearInterval(timer)
    }
  }, [active])
  return now
}
