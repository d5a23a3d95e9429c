import { useRouter } from '@tanstack/react-router'
import { useEffect, useRef } from 'react'

/** Goes back to the view before, if that was of the same page: Ctrl Z changes a view and never leaves it. */
export function useViewUndo(): () => void {
  const router = useRouter()
  const pages = useRef(new Map<number, string>())
  useEffect(() => {
    const note = () => {
      const { pathname, state } = router.history.location
      pages.current.set(state.__TSR_index, pathname)
    }
    note()
    return router.history.subscribe(note)
  }, [router])
  return () => {
    const { pathname, state } = router.history.location
    if (pages.current.get(state.__TSR_index - 1) === pathname) router.history.back()
  }
}
