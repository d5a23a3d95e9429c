import { describe, expect, it } from 'vitest'

import { toHtml } from './markdown'

const HOST = 'http://127.0.0.1:8000'
const html = (text: string) => toHtml(text, HOST).trim()

describe('Markdown', () => {
  it('has headings below the page’s own, lists, tables and code', () => {
    expect(html('# L1\n\n- a\n- [x] b')).toContain('<h2>L1</h2>')
    expect(html('- [x] b')).toContain('☑')
    expect(html('|a|b|\n|-|-|\n|1|2|')).toContain('<td>1</td>')
    expect(html('`a<b`')).toBe('<p><code>a&lt;b</code></p>')
  })

  it('opens other hosts in a tab of their own that does not know this one', () => {
    expect(html('[x](https://example.org/a?b=1&c=2)')).toBe('<p><a href="https://example.org/a?b=1&amp;c=2" rel="noopener noreferrer" target="_blank">x</a></p>')
    expect(html('[x](/experiments/2/results)')).toBe('<p><a href="/experiments/2/results" rel="noopener noreferrer">x</a></p>')
  })

  it('shows pictures of this host and of the text itself, and says which others it does not', () => {
    expect(html('![a](/api/frames/1)')).toBe('<p><img src="/api/frames/1" alt="a"></p>')
    expect(html('![a](data:image/png;base64,AAAA)')).toContain('<img src="data:image/png;base64,AAAA"')
    expect(html('![a](https://example.org/x.png)')).toContain('not shown, since it is on another host')
    expect(html('![a](//example.org/x.png)')).not.toContain('<img')
    expect(html('![a](data:image/svg+xml;base64,AAAA)')).not.toContain('<img')
  })

  it.each([
    '<script>alert(1)</script>',
    '<img src=x onerror=alert(1)>',
    '<svg/onload=alert(1)>',
    '<iframe srcdoc="<script>alert(1)</script>">',
    '<a href="javascript:alert(1)">x</a>',
    '<style>*{display:none}</style>',
    '<math><mtext><table><mglyph><style><!--</style><img title="--&gt;&lt;img src=1 onerror=alert(1)&gt;">',
    '[x](javascript:alert(1))',
    '[x](JaVaScRiPt:alert(1))',
    '[x](&#106;avascript:alert(1))',
    '[x](data:text/html,<script>alert(1)</script>)',
    '[x](vbscript:alert(1))',
    '![x](javascript:alert(1))',
    '![" onerror="alert(1)](/a.png)',
    '[x](/a "\\" onmouseover=\\"alert(1)")',
    '[x]: javascript:alert(1)\n\n[x]',
    '<javascript:alert(1)>',
    '`<script>alert(1)</script>`',
    '```\n</code><script>alert(1)</script>\n```',
    '```"><script>alert(1)</script>\nx\n```',
    '| <img src=x onerror=alert(1)> |\n|-|\n| <b onclick=alert(1)>x</b> |',
    '# <script>alert(1)</script>',
  ])('keeps %j as text in which nothing runs', (text) => {
    const made = html(text)
    const tags = made.match(/<[^>]*>/g) ?? []
    expect(tags.filter((tag) => !/^<\/?(h[2-6]|p|ul|li|code|pre|table|thead|tbody|tr|th|td|a|img|span)\b/.test(tag))).toEqual([])
    expect(tags.filter((tag) => / on\w+=/.test(tag.replace(/"[^"]*"/g, '""')))).toEqual([])
    expect(made).not.toMatch(/(href|src)="\s*(javascript|vbscript|data:text)/i)
  })
})
