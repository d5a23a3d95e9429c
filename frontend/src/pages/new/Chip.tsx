import { Icon } from '../../components/icons'
import classes from './New.module.css'

interface Props {
  label: string
  detail?: string
  bad?: boolean
  onRemove?: () => void
}

/** A level that is chosen, with a button that takes it out. */
export function Chip({ label, detail, bad = false, onRemove }: Props) {
  return (
    <span className={classes.chip} data-bad={bad || undefined}>
      <span className="num">{label}</span>
      {detail && <span className="secondary">{detail}</span>}
      {onRemove && (
        <button type="button" aria-label={`Remove ${label}`} onClick={onRemove}>
          <Icon name="close" size={12} />
        </button>
      )}
    </span>
  )
}

interface ToggleProps {
  label: string
  detail?: string
  title?: string
  checked: boolean
  onToggle: () => void
}

/** A level that can be chosen beside others. */
export function ToggleChip({ label, detail, title, checked, onToggle }: ToggleProps) {
  return (
    <button type="button" role="checkbox" aria-checked={checked} className={classes.toggle} title={title} onClick={onToggle}>
      {checked && <Icon name="check" size={13} />}
      {label}
      {detail && <span className="secondary num">{detail}</span>}
    </button>
  )
}
