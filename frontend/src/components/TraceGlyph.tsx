import { MARKER_PATHS, type Marker } from '../lib/losses'

interface Props {
  colour: string
  dash?: string
  marker?: Marker
  hollow?: boolean
  /** the line that others are measured against */
  thick?: boolean
}

/** A line as the figure draws it. */
export function TraceGlyph({ colour, dash, marker, hollow = false, thick = false }: Props) {
  return (
    <svg width="28" height="12" viewBox="0 0 28 12" style={{ flex: 'none' }} aria-hidden focusable="false">
      <path d="M0 6H28" stroke={colour} strokeWidth={thick ? 2.75 : 1.75} strokeDasharray={dash} />
      {marker && <path d={MARKER_PATHS[marker]} transform="translate(9 1) scale(.84)" fill={hollow ? 'var(--db-page)' : colour} stroke={hollow ? colour : 'none'} strokeWidth={1.8} />}
    </svg>
  )
}
