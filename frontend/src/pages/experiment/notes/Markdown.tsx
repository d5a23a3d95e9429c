import { useRouter } from '@tanstack/react-router'
import DOMPurify from 'dompurify'
import { useMemo, type MouseEvent } from 'react'

import { ALLOWED, toHtml } from '../../../lib/markdown'
import classes from './Notes.module.css'

/** A text as a page reads it: nothing in it runs, and nothing is fetched from another host. */
export default function Markdown({ text }: { text: string }) {
  const router = useRouter()
  const html = useMemo(() => DOMPurify.sanitize(toHtml(text, location.origin), ALLOWED), [text])
  const follow = (event: MouseEvent<HTMLElement>) => {
    const link = (event.target as Element).closest('a')
    if (!link || link.origin !== location.origin || event.ctrlKey || event.metaKey || event.shiftKey || event.button !== 0) return
    if (link.pathname.startsWith('/api/')) return
    event.preventDefault()
    router.history.push(link.pathname + link.search + link.hash)
  }
  return <div className={classes.markdown} onClick={follow} dangerouslySetInnerHTML={{ __html: html }} />
}
