import { expect, test } from 'vitest'

import { addressOf, asChoice, figureFile, latexBody, ofComparison, ofExperiment, ofRun, PAPER, pythonLines, tableOf } from './export'

test('a file for a paper says width and no caption, with every option of the figure', () => {
  expect(figureFile({ metric: 'rmse', group: 'loss,seed' }, PAPER)).toEqual({ metric: 'rmse', group: 'loss,seed', format: 'pdf', width: 'single', caption: 'no' })
  expect(figureFile({}, { ...PAPER, width: 'slide', font: 20, caption: true, theme: 'dark' })).toEqual({ format: 'pdf', width: 'slide', font: '20', theme: 'dark' })
  expect(figureFile({}, { ...PAPER, font: 8 })).toEqual({ format: 'pdf', width: 'single', caption: 'no' })
})

test('what is no picture has neither width nor caption', () => {
  expect(figureFile({ x: 'step' }, { ...PAPER, format: 'csv' })).toEqual({ x: 'step', format: 'csv' })
  expect(figureFile({}, { ...PAPER, format: 'html', theme: 'dark' })).toEqual({ format: 'html', theme: 'dark' })
  expect(figureFile({}, { ...PAPER, width: 'page' })).toEqual({ format: 'pdf', caption: 'no' })
})

test('a kept choice of another version is no fault', () => {
  expect(asChoice(null)).toEqual(PAPER)
  expect(asChoice({ format: 'exe', width: 'constructor', font: 900, theme: 1 })).toEqual(PAPER)
  expect(asChoice({ ...PAPER, format: 'svg', font: 9 })).toEqual({ ...PAPER, format: 'svg', font: 9 })
})

test('the lines of Python hold any text as a literal', () => {
  const lines = pythonLines('http://127.0.0.1:8765', ofExperiment(7, 'curves'), { key: 'loss/"a"\n\\', format: 'svg' })
  expect(lines).toContain(String.raw`options = {"key": "loss/\"a\"\n\\", "format": "svg"}`)
  expect(lines).toContain('Path("experiment-7-curves.svg").write_bytes(client.figure(7, "curves", **options))')
  expect(pythonLines('http://h', tableOf(7, 'results'), { format: 'latex' })).toContain('Path("experiment-7-results.tex").write_bytes(client.table(7, "results", **options))')
})

test('an address keeps what a person wrote', () => {
  expect(addressOf(ofExperiment(7, 'curves'), { key: 'a&b=c', format: 'csv' })).toBe('/api/experiments/7/figures/curves?key=a%26b%3Dc&format=csv')
})

test('comparisons and single runs have files of their own', () => {
  expect(addressOf(ofComparison('1,5', 'bars'), { metric: 'rmse', format: 'pdf' })).toBe('/api/compare/bars?runs=1%2C5&metric=rmse&format=pdf')
  expect(pythonLines('http://h', ofComparison('1,5', 'bars'), { format: 'csv' })).toContain('Path("compare-bars.csv").write_bytes(client.comparison([1, 5], "bars", **options))')
  expect(pythonLines('http://h', ofRun(3), { format: 'svg' })).toContain('Path("run-3.svg").write_bytes(client.run_figure(3, **options))')
})

test('the preview is the body of the table without comments', () => {
  const text = ['% experiment: 1', '\\begin{table}', '\\toprule', 'Loss & rel \\\\', 'L1 & $1$ \\\\ % runs 1–3', '\\bottomrule', '\\end{table}', ''].join('\n')
  expect(latexBody(text)).toBe(['\\toprule', 'Loss & rel \\\\', 'L1 & $1$ \\\\', '\\bottomrule'].join('\n'))
})
