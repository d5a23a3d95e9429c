import { useEffect, useState, type RefObject } from 'react'

/** Whether the element is, or was once, near what is visible of the page: what was never looked at is never loaded. */
export function useSeen(ref: RefObject<HTMLElement | null>): boolean {
  const [seen, setSeen] = useState(false)
  useEffect(() => {
    const element = ref.current
    if (!element || seen) return
    const observer = new IntersectionObserver((entries) => entries.some((entry) => entry.isIntersecting) && setSeen(true), { rootMargin: '240px' })
    observer.observe(element)
    return () => observer.disconnect()
  }, [ref, seen])
  return seen
}
