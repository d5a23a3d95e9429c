import { describe, expect, it } from 'vitest'

import { ago, bytes, count, duration, fixed, metric, metricTitle, metricWithUnit, parseTime, plural, settingValue, short, signed, spread } from './format'

describe('numbers', () => {
  it('say bytes in the unit people use', () => {
    expect([1, 812, 3400, 14_693_818, 1.25e9].map(bytes)).toEqual(['1 byte', '812 bytes', '3.4 kB', '14.7 MB', '1.3 GB'])
  })

  it('group thousands with a narrow space', () => {
    expect(count(230000)).toBe('230\u202f000')
    expect(count(795)).toBe('795')
    expect(count(-12000)).toBe('−12\u202f000')
  })

  it('shorten sizes as the panels name them', () => {
    expect([16, 795, 1500, 12000, 230000, 3_200_000].map(short)).toEqual(['16', '795', '1.5k', '12k', '230k', '3.2 M'])
  })

  it('say what is not finite and what is missing', () => {
    expect([fixed(null), fixed(Number.NaN), fixed(Infinity), fixed(-Infinity), fixed(-0.5, 1)]).toEqual(['–', 'NaN', '∞', '−∞', '−0.5'])
    expect(signed(0.0126)).toBe('+0.013')
    expect(signed(-0.004)).toBe('−0.004')
    expect(signed(0)).toBe('0.000')
  })

  it('name a metric as the figures do', () => {
    expect(metricTitle({ name: 'rmse', label: 'rms', unit: 'm' })).toBe('RMSE (m)')
    expect(metricTitle({ name: 'abs_rel', label: 'rel', unit: '' })).toBe('rel')
  })

  it('show pixels and ratios with two digits', () => {
    expect([metric(1.2345, { unit: 'px' }), metric(0.789, { unit: '', ideal: 1 })]).toEqual(['1.23', '0.79'])
  })

  it('show shares in per cent and metres with three digits', () => {
    expect(metric(0.8153, { unit: '%' })).toBe('81.5')
    expect(metricWithUnit(0.8153, { unit: '%' })).toBe('81.5 %')
    expect(metricWithUnit(0.6061, { unit: 'm' })).toBe('0.606 m')
    expect(metricWithUnit(0.13, { unit: '' })).toBe('0.130')
    expect(metricWithUnit(null, { unit: 'm' })).toBe('–')
    expect(spread(0.0049, { unit: 'm' })).toBe('± .005')
    expect(spread(null)).toBe('')
  })
})

describe('times', () => {
  it('are written in two units at most', () => {
    expect([8, 250, 660, 8040, 302_400].map(duration)).toEqual(['8 s', '4 min 10 s', '11 min', '2 h 14 min', '3 d 12 h'])
    expect(duration(3599.9)).toBe('1 h')
    expect(duration(null)).toBe('–')
  })

  it('without a zone are UTC', () => {
    expect(parseTime('2026-11-21T00:00:00')).toBe(parseTime('2026-11-21T00:00:00Z'))
    expect(parseTime('2026-11-21T01:00:00+01:00')).toBe(parseTime('2026-11-21T00:00:00Z'))
  })

  it('say how long ago', () => {
    const now = parseTime('2026-11-21T12:00:00Z')
    const at = (seconds: number) => ago(new Date(now - seconds * 1000).toISOString(), now)
    expect([2, 42, 200, 7300, 300_000].map(at)).toEqual(['now', '42 s ago', '3 min ago', '2 h ago', '3 d ago'])
  })
})

describe('words', () => {
  it('count one and many', () => {
    expect([plural(1, 'run'), plural(2, 'run'), plural(2, 'loss', 'losses')]).toEqual(['1 run', '2 runs', '2 losses'])
  })

  it('write settings as a person would', () => {
    expect([null, true, 0.0002, 4000, 'adam'].map(settingValue)).toEqual(['none', 'on', '0.0002', '4\u202f000', 'adam'])
    expect(settingValue({ name: 'huber', threshold: 0.2 })).toBe('huber, threshold 0.2')
    expect(settingValue([{ name: 'l1', weight: 1 }, { name: 'eigen' }])).toBe('l1, weight 1; eigen')
  })
})
