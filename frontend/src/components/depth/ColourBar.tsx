import { ActionIcon, NumberInput, Popover, Select, Tooltip } from '@mantine/core'

import { gradient, NOT_PERCEPTUAL, PERCEPTUAL, type ColourMap, type View } from '../../lib/colouring'
import { fixed, signed } from '../../lib/format'
import { SPANS, type Span } from '../../lib/look'
import { Icon } from '../icons'
import classes from './ColourBar.module.css'

const TITLES: Record<ColourMap, string> = {
  depth: 'Magma',
  viridis: 'Viridis',
  cividis: 'Cividis',
  inferno: 'Inferno',
  plasma: 'Plasma',
  grey: 'Grey',
  turbo: 'Turbo',
  jet: 'Jet',
}

const options = (names: readonly ColourMap[]) => names.map((value) => ({ value, label: TITLES[value] }))
const MAPS = [
  { group: 'Perceptual', items: options(PERCEPTUAL) },
  { group: 'Not perceptual: invent edges', items: options(NOT_PERCEPTUAL) },
]

const FIXED = 'fixed'
const RANGES = [...SPANS.map((value) => ({ value: value as string, label: `${value.replace('-', '–')} % of the ground truth` })), { value: FIXED, label: 'fixed, in metres' }]

export interface RangeChange {
  low?: number
  high?: number
  limit?: number
  colours?: string
  percentile?: string
}

interface Props {
  view: View
  map: ColourMap
  range: readonly [number, number]
  span: Span
  locked: boolean
  limit: number
  /** undefined puts a value back to what the data say */
  onChange: (change: RangeChange) => void
}

/** The one bar that all tiles are read by; a click sets its range and its colours. */
export function ColourBar(props: Props) {
  const { view, map, range, limit, locked, onChange } = props
  const depth = view === 'depth'
  return (
    <div className={classes.bar}>
      {depth ? <Lock locked={locked} range={range} onChange={onChange} /> : <span className={`${classes.note} ${classes.wide}`}>Error, symmetric</span>}
      <Popover position="bottom-end" width={270}>
        <Popover.Target>
          <button type="button" className={classes.scale} title="Set range and colours">
            <span className={classes.colours} style={{ background: gradient(depth ? map : 'error') }} />
            <Ticks labels={depth ? depthTicks(range) : errorTicks(limit, view)} />
          </button>
        </Popover.Target>
        <Popover.Dropdown className={classes.settings}>{depth ? <DepthSettings {...props} /> : <ErrorSettings {...props} />}</Popover.Dropdown>
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

/** Held, the range stays as it is whatever images, sizes and steps are looked at. */
function Lock({ locked, range, onChange }: Pick<Props, 'locked' | 'range' | 'onChange'>) {
  const hold = () => onChange(locked ? { low: undefined, high: undefined } : { low: metres(range[0]), high: metres(range[1]) })
  return (
    <span className={classes.note}>
      <Tooltip label={locked ? 'Fixed in metres. Press to follow the ground truth again' : 'Follows the ground truth shown. Press to hold it as it is'}>
        <ActionIcon variant="subtle" color={locked ? 'accent' : 'gray'} size="sm" aria-label="Hold the range" aria-pressed={locked} onClick={hold}>
          <Icon name="lock" size={13} />
        </ActionIcon>
      </Tooltip>
      {locked ? 'Range held, all tiles' : 'One range for all tiles'}
    </span>
  )
}

function DepthSettings({ map, range, span, locked, onChange }: Props) {
  const choose = (value: string | null) => {
    if (value === FIXED) onChange({ low: metres(range[0]), high: metres(range[1]) })
    else onChange({ low: undefined, high: undefined, percentile: value === SPANS[0] ? undefined : (value ?? undefined) })
  }
  const keep = (change: { low?: number; high?: number }) => onChange({ low: metres(range[0]), high: metres(range[1]), ...change })
  return (
    <>
      <Select label="Range" data={RANGES} value={locked ? FIXED : span} allowDeselect={false} comboboxProps={{ withinPortal: false }} onChange={choose} />
      <div className={classes.ends}>
        <NumberInput label="Nearest (m)" value={metres(range[0])} step={0.1} min={0} max={metres(range[1]) - 0.1} decimalScale={2} onChange={(v) => toNumber(v) !== undefined && keep({ low: toNumber(v) })} />
        <NumberInput label="Farthest (m)" value={metres(range[1])} step={0.1} min={metres(range[0]) + 0.1} max={65} decimalScale={2} onChange={(v) => toNumber(v) !== undefined && keep({ high: toNumber(v) })} />
      </div>
      <Select label="Colours" data={MAPS} value={map} allowDeselect={false} comboboxProps={{ withinPortal: false }} onChange={(v) => onChange({ colours: v === 'depth' ? undefined : (v ?? undefined) })} />
      <span className={classes.preview} style={{ background: gradient(map) }} />
      <span className="secondary">near on the left, far on the right</span>
    </>
  )
}

function ErrorSettings({ view, limit, onChange }: Props) {
  const share = view === 'relative'
  return (
    <>
      <NumberInput
        label={share ? 'Ends of the bar (%)' : 'Ends of the bar (m)'}
        value={share ? Number((100 * limit).toFixed(2)) : limit}
        step={share ? 5 : 0.1}
        min={share ? 1 : 0.01}
        decimalScale={2}
        onChange={(v) => {
          const n = toNumber(v)
          if (n !== undefined && n > 0) onChange({ limit: share ? n / 100 : n })
        }}
      />
      <button type="button" className="link" onClick={() => onChange({ limit: undefined })}>
        Back to what the errors say
      </button>
    </>
  )
}

function Ticks({ labels }: { labels: string[] }) {
  return (
    <span className={`${classes.ticks} num`}>
      {labels.map((label, i) => (
        <span key={i}>{label}</span>
      ))}
    </span>
  )
}

function depthTicks([low, high]: readonly [number, number]): string[] {
  return [0, 0.25, 0.5, 0.75, 1].map((share) => fixed(low + share * (high - low), high - low < 2 ? 2 : 1) + (share === 1 ? ' m' : ''))
}

function errorTicks(limit: number, view: View): string[] {
  const text = (share: number) => (view === 'relative' ? signed(share * limit * 100, 0) : signed(share * limit, limit < 1 ? 2 : 1))
  return [-1, -0.5, 0, 0.5, 1].map((share) => (share === 0 ? '0' : text(share)) + (share === 1 ? (view === 'relative' ? ' %' : ' m') : ''))
}

function metres(value: number): number {
  return Number(value.toFixed(2))
}

function toNumber(value: string | number): number | undefined {
  return typeof value === 'number' && Number.isFinite(value) ? value : undefined
}
