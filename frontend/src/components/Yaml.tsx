import { useRef } from 'react'

import classes from './Yaml.module.css'

/** Keys in text colour, values quieter, comments quietest: enough to read a configuration by. */
function Line({ text }: { text: string }) {
  const parts = /^(\s*(?:- )?)([\w./-]+|"[^"]*")(:)(.*)$/.exec(text)
  if (/^\s*#/.test(text)) return <span className={classes.comment}>{text}</span>
  if (!parts) return <span className={classes.value}>{text || ' '}</span>
  return (
    <>
      {parts[1]}
      <span className={classes.key}>{parts[2]}</span>
      {parts[3]}
      <span className={classes.value}>{parts[4]}</span>
    </>
  )
}

function Lines({ text, marked }: { text: string; marked?: ReadonlySet<number> }) {
  return text.split('\n').map((line, i) => (
    <span key={i} className={classes.line} data-marked={marked?.has(i + 1) || undefined}>
      <span className={classes.number}>{i + 1}</span>
      <span>
        <Line text={line} />
      </span>
    </span>
  ))
}

export function YamlView({ text, label }: { text: string; label: string }) {
  return (
    <pre className={classes.view} tabIndex={0} aria-label={label}>
      <Lines text={text.trimEnd()} />
    </pre>
  )
}

interface EditorProps {
  text: string
  onChange: (text: string) => void
  onBlur?: () => void
  /** lines to tint: what the last change touched */
  marked: ReadonlySet<number>
  label: string
  invalid?: boolean
}

/** A text field with its colours drawn underneath: the field itself is transparent, so that caret and selection are the browser's. */
export function YamlEditor({ text, onChange, onBlur, marked, label, invalid }: EditorProps) {
  const back = useRef<HTMLPreElement>(null)
  return (
    <div className={classes.editor} data-invalid={invalid || undefined}>
      <pre ref={back} className={classes.back} aria-hidden>
        <Lines text={text} marked={marked} />
      </pre>
      <textarea
        className={classes.front}
        aria-label={label}
        aria-invalid={invalid}
        spellCheck={false}
        autoCapitalize="off"
        wrap="off"
        value={text}
        onChange={(event) => onChange(event.currentTarget.value)}
        onBlur={onBlur}
        onScroll={(event) => {
          back.current!.scrollTop = event.currentTarget.scrollTop
          back.current!.scrollLeft = event.currentTarget.scrollLeft
        }}
      />
    </div>
  )
}

/** Numbers (from 1) of the lines in `after` that `before` does not hold. */
export function changedLines(before: string, after: string): Set<number> {
  const old = new Set(before.split('\n'))
  return new Set(after.split('\n').flatMap((line, i) => (old.has(line) || line.trim() === '' ? [] : [i + 1])))
}
