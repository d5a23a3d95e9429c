import { NumberInput, Popover, Select } from '@mantine/core'

import { gradient, type ColourMap, type View } from '../../lib/depth'
import { fixed, signed } from '../../lib/format'
import { Icon } from '../icons'
import classes from './ColourBar.module.css'

const MAPS: { value: ColourMap; label: string }[] = [
  { value: 'depth', label: 'Magma, near light' },
  { value: 'viridis', label: 'Viridis' },
  { value: 'cividis', label: 'Cividis' },
  { value: 'grey', label: 'Grey' },
]

interface Props {
  view: View
  map: ColourMap
  range: readonly [number, number]
  limit: number
  /** undefined puts a value back to what the data say */
  onRange: (range: { low?: number; high?: number; limit?: number; colours?: string }) => void
}

/** The one bar that all tiles are read by; a click sets its range. */
export function ColourBar({ view, map, range, limit, onRange }: Props) {
  const depth = view === 'depth'
  return (
    <div className={classes.bar}>
      <span className={classes.note}>
        <Icon name="lock" size={13} /> {depth ? 'One range for all tiles' : 'Error, symmetric'}
      </span>
      <Popover position="bottom-end">
        <Popover.Target>
          <button type="button" className={classes.scale} title="Set the range of the colours">
            <span className={classes.colours} style={{ background: gradient(depth ? map : 'error') }} />
            <Ticks labels={depth ? depthTicks(range) : errorTicks(limit, view)} />
          </button>
        </Popover.Target>
        <Popover.Dropdown className={classes.settings}>
          {depth ? (
            <>
              <NumberInput label="Nearest (m)" value={Number(range[0].toFixed(2))} step={0.1} min={0} max={range[1] - 0.1} decimalScale={2} onChange={(v) => onRange({ low: toNumber(v) })} />
              <NumberInput label="Farthest (m)" value={Number(range[1].toFixed(2))} step={0.1} min={range[0] + 0.1} decimalScale={2} onChange={(v) => onRange({ high: toNumber(v) })} />
              <Select label="Colours" data={MAPS} value={map} comboboxProps={{ withinPortal: false }} onChange={(v) => onRange({ colours: v === 'depth' ? undefined : (v ?? undefined) })} />
            </>
          ) : (
            <NumberInput label={view === 'error' ? 'Largest error (m)' : 'Largest error (share)'} value={limit} step={0.05} min={0.01} decimalScale={2} onChange={(v) => onRange({ limit: toNumber(v) })} />
          )}
          <button type="button" className="link" onClick={() => onRange({ low: undefined, high: undefined, limit: undefined, colours: undefined })}>
            Back to the data’s range
          </button>
        </Popover.Dropdown>
      </Popover>
      {!depth && (
        <span className={classes.words}>
          blue: too near
          <br />
          orange: too far
        </span>
      )}
    </div>
  )
}

function Ticks({ labels }: { labels: string[] }) {
  return (
    <span className={`${classes.ticks} num`}>
      {labels.map((label) => (
        <span key={label}>{label}</span>
      ))}
    </span>
  )
}

function depthTicks([low, high]: readonly [number, number]): string[] {
  return [0, 0.25, 0.5, 0.75, 1].map((share) => fixed(low + share * (high - low), 1) + (share === 1 ? ' m' : ''))
}

function errorTicks(limit: number, view: View): string[] {
  const text = (share: number) => (view === 'relative' ? signed(share * limit * 100, 0) : signed(share * limit, limit < 1 ? 2 : 1))
  return [-1, -0.5, 0, 0.5, 1].map((share) => (share === 0 ? '0' : text(share)) + (share === 1 ? (view === 'relative' ? ' %' : ' m') : ''))
}

function toNumber(value: string | number): number | undefined {
  return typeof value === 'number' && Number.isFinite(value) ? value : undefined
}
