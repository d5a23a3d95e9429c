import 'katex/dist/katex.min.css'

import katex from 'katex'
import { useMemo } from 'react'

/** A formula of the catalogue. KaTeX builds it from LaTeX alone: `trust` stays off, so it can hold no link and no markup of its own. */
export function Formula({ latex, display = false }: { latex: string; display?: boolean }) {
  const html = useMemo(() => katex.renderToString(latex, { displayMode: display, throwOnError: false, output: 'htmlAndMathml' }), [latex, display])
  return <span dangerouslySetInnerHTML={{ __html: html }} />
}
