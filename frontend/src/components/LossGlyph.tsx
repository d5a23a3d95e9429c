import { MARKER_PATHS } from '../lib/losses'
import { useLosses } from './useLosses'

interface Props {
  name: string
  /** with its dash through it, as in a legend */
  line?: boolean
  /** a ResNet's marker is hollow */
  hollow?: boolean
}

/** Colour, dash and marker of a loss; its name stands beside it in text colour. */
export function LossGlyph({ name, line = false, hollow = false }: Props) {
  const token = useLosses().token(name)
  const colour = `light-dark(${token.light}, ${token.dark})`
  const size = token.marker === 'star' || token.marker === 'cross' ? 12 : 10
  const marker = (
    <path d={MARKER_PATHS[token.marker]} fill={hollow ? 'var(--db-page)' : 'currentColor'} stroke={hollow ? 'currentColor' : 'none'} strokeWidth={hollow ? 1.8 : 0} />
  )
  if (!line) {
    return (
      <svg width="12" height="12" viewBox="0 0 12 12" style={{ color: colour, flex: 'none' }} aria-hidden focusable="false">
        <g transform={`translate(${6 - size / 2} ${6 - size / 2}) scale(${size / 12})`}>{marker}</g>
      </svg>
    )
  }
  return (
    <svg width="28" height="12" viewBox="0 0 28 12" style={{ color: colour, flex: 'none' }} aria-hidden focusable="false">
      <path d="M0 6H28" stroke="currentColor" strokeWidth="2" strokeDasharray={token.dash.join(' ') || undefined} />
      <g transform={`translate(${14 - size / 2} ${6 - size / 2}) scale(${size / 12})`}>{marker}</g>
    </svg>
  )
}

export function LossName({ name, label, line }: { name: string; label?: string; line?: boolean }) {
  const { title } = useLosses()
  return (
    <span style={{ display: 'inline-flex', alignItems: 'center', gap: line ? 10 : 7, minWidth: 0 }}>
      <LossGlyph name={name} line={line} />
      <span className="ellipsis">{lossLabel(name, label, title)}</span>
    </span>
  )
}

/** `huber threshold=0.2` with the loss by its title: Huber threshold=0.2 */
export function lossLabel(name: string, label: string | undefined, title: (name: string) => string): string {
  if (!label) return title(name)
  // The parts of a sum by their titles too; a name before an equals sign is a parameter's.
  if (label.includes(' + ')) return label.replace(/[a-z][a-z0-9_]*(?![\w=])/g, (word) => title(word))
  return label === name || label.startsWith(`${name} `) ? title(name) + label.slice(name.length) : label
}
