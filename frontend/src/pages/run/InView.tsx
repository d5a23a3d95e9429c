import { useEffect, useRef, useState, type ReactNode } from 'react'

/** Room for a chart, which is drawn once it comes near the window: a script may have logged hundreds of keys. */
export function InView({ height, children }: { height: number; children: ReactNode }) {
  const place = useRef<HTMLDivElement>(null)
  const [near, setNear] = useState(false)
  useEffect(() => {
    const observer = new IntersectionObserver(([entry]) => entry?.isIntersecting && setNear(true), { rootMargin: '300px' })
    observer.observe(place.current!)
    return () => observer.disconnect()
  }, [])
  return (
    <div ref={place} style={{ minHeight: height }}>
      {near && children}
    </div>
  )
}
