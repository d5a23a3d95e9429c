import { describe, expect, it } from 'vitest'

import { atLevel, logLines, matches, pieces, step } from './log'

const texts = (text: string) => logLines(text).map((line) => line.text)

describe('a log', () => {
  it('loses the colours of a terminal', () => {
    expect(texts('\u001b[1;32mok\u001b[0m done\n\u001b]0;title\u0007plain\n')).toEqual(['ok done', 'plain'])
  })

  it('shows of a progress bar what stood there last', () => {
    expect(texts(' 10 %\r 50 %\r100 %\nnext\r\n')).toEqual(['100 %', 'next'])
  })

  it('numbers its lines and knows their levels, a whole traceback among the errors', () => {
    const lines = logLines('--- attempt 1 ---\nstep 50\nUserWarning: slow\nTraceback (most recent call last):\n  File "a.py"\nValueError: no\nstep 60')
    expect(lines.map((line) => line.level)).toEqual(['heading', 'plain', 'warning', 'error', 'error', 'error', 'plain'])
    expect(lines.at(-1)!.number).toBe(7)
    expect(atLevel(lines, 'error').map((line) => line.number)).toEqual([1, 4, 5, 6])
    expect(atLevel(lines, 'warning')).toHaveLength(5)
  })
})

describe('a search', () => {
  const lines = logLines('Step 1\nother\nstep 2 of step')

  it('finds lines in any case, and marks each place in them', () => {
    expect(matches(lines, 'STEP')).toEqual([0, 2])
    expect(pieces('step 2 of step', 'Step')).toEqual(['', 'step', ' 2 of ', 'step', ''])
    expect([matches(lines, ''), pieces('a', '')]).toEqual([[], ['a']])
  })

  it('goes round', () => {
    expect([step(1, 1, 2), step(0, -1, 2), step(0, 1, 0)]).toEqual([0, 1, 0])
  })
})
