/** Markdown as HTML in which nothing runs and nothing is fetched from elsewhere; DOMPurify looks at it once more before it is shown. */

import { Marked, type Tokens } from 'marked'

/** `host` is this one's origin: pictures come from nowhere else. */
export function toHtml(markdown: string, host: string): string {
  return dialect(host).parse(markdown, { async: false })
}

export const ALLOWED = {
  ALLOWED_TAGS: ['h2', 'h3', 'h4', 'h5', 'h6', 'p', 'br', 'hr', 'blockquote', 'ul', 'ol', 'li', 'strong', 'em', 'del', 'code', 'pre', 'table', 'thead', 'tbody', 'tr', 'th', 'td', 'a', 'img', 'span'],
  ALLOWED_ATTR: ['href', 'title', 'src', 'alt', 'align', 'start', 'rel', 'target', 'class'],
  ALLOW_DATA_ATTR: false,
  ALLOW_ARIA_ATTR: false,
}

function dialect(host: string): Marked {
  return new Marked({
    gfm: true,
    renderer: {
      html: ({ text }) => escaped(text),
      checkbox: ({ checked }) => (checked ? '☑ ' : '☐ '),
      heading({ tokens, depth }) {
        const level = Math.min(6, depth + 1)
        return `<h${level}>${this.parser.parseInline(tokens)}</h${level}>\n`
      },
      link({ href, title, tokens }: Tokens.Link) {
        const words = this.parser.parseInline(tokens)
        const to = address(href, host)
        return to ? `<a href="${escaped(href)}"${titled(title)} rel="noopener noreferrer"${to.origin === host ? '' : ' target="_blank"'}>${words}</a>` : words
      },
      image: ({ href, title, text }) => picture(href, title, text, host),
    },
  })
}

function picture(href: string, title: string | null, text: string, host: string): string {
  const from = address(href, host)
  if (from?.origin === host || /^data:image\/(png|jpeg|gif|webp);base64,/i.test(href)) return `<img src="${escaped(href)}" alt="${escaped(text)}"${titled(title)}>`
  const link = from ? `<a href="${escaped(href)}" rel="noopener noreferrer" target="_blank">${escaped(text || from.host)}</a>` : escaped(text || href)
  return `<span class="refused">not shown, since it is on another host: ${link}</span>`
}

/** Where a link leads; null for what is no page: scripts, data, files. */
function address(href: string, host: string): URL | null {
  try {
    const url = new URL(href, host)
    return ['http:', 'https:', 'mailto:'].includes(url.protocol) ? url : null
  } catch {
    return null
  }
}

const titled = (title?: string | null) => (title ? ` title="${escaped(title)}"` : '')

const SIGNS: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' }

function escaped(text: string): string {
  return text.replace(/[&<>"']/g, (sign) => SIGNS[sign]!)
}
