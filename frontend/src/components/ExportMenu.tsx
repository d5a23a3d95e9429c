import { Button, NumberInput, Popover, SegmentedControl, Switch } from '@mantine/core'
import { useClipboard, useLocalStorage } from '@mantine/hooks'
import { useQuery } from '@tanstack/react-query'
import { useState, type ReactNode } from 'react'

import { fetchRaw } from '../api/client'
import type { FigureOptions } from '../api/queries'
import { addressOf, asChoice, FIGURE_FORMATS, figureFile, fileName, isPicture, latexBody, ofExperiment, PAPER, PICTURES, pythonLines, tableOf, WIDTHS, type Choice, type FileFormat, type Source, type Width } from '../lib/export'
import classes from './ExportMenu.module.css'
import { Icon, type IconName } from './icons'
import { save } from './save'
import { toastError } from './toast'

interface Props {
  source: Source
  /** what the figure shows, as the address of the page says it */
  options: FigureOptions
}

/** What is shown, as a file for a paper: at its width and type, with the numbers, and as the lines that fetch it again. */
export function ExportMenu({ source, options }: Props) {
  return (
    <Menu label="Export the figure">
      <OfFigure source={source} options={options} />
    </Menu>
  )
}

interface TableProps {
  experimentId: number
  name: string
  options: FigureOptions
}

/** A table is text first, and a picture too. */
export function TableExportMenu(props: TableProps) {
  return (
    <Menu label="Export the table">
      <OfTable {...props} />
    </Menu>
  )
}

function Menu({ label, children }: { label: string; children: ReactNode }) {
  const [opened, setOpened] = useState(false)
  return (
    <Popover opened={opened} onChange={setOpened} position="bottom-end" trapFocus returnFocus withRoles>
      <Popover.Target>
        <Button variant="default" rightSection={<Icon name="down" size={14} />} leftSection={<Icon name="download" size={14} />} onClick={() => setOpened(!opened)}>
          Export
        </Button>
      </Popover.Target>
      <Popover.Dropdown aria-label={label}>
        <div className={classes.panel}>{children}</div>
      </Popover.Dropdown>
    </Popover>
  )
}

const CARRIES = 'Files say which runs, data and code they come from.'

function OfFigure({ source, options }: Props) {
  const [kept, keep] = useLocalStorage<Choice>({ key: 'depthboard-export', defaultValue: PAPER, getInitialValueInEffect: false, deserialize: (text) => asChoice(parsed(text)) })
  const choice = asChoice(kept)
  const change = (patch: Partial<Choice>) => keep({ ...choice, ...patch })
  const query = figureFile(options, choice)
  const address = addressOf(source, query)
  return (
    <>
      <Row name="Format">
        <SegmentedControl aria-label="Format" value={choice.format} data={FIGURE_FORMATS.map((value) => ({ value, label: value.toUpperCase() }))} onChange={(value) => change({ format: value as FileFormat })} />
      </Row>
      {isPicture(choice.format) && <Print choice={choice} change={change} />}
      {(isPicture(choice.format) || choice.format === 'html') && (
        <Row name="Colours">
          <SegmentedControl aria-label="Colours" value={choice.theme} data={[{ value: 'light', label: 'Light' }, { value: 'dark', label: 'Dark' }]} onChange={(value) => change({ theme: value as Choice['theme'] })} />
        </Row>
      )}
      <Download address={address} file={fileName(source, choice.format)} label={`Download ${choice.format.toUpperCase()}`} />
      <div className={classes.items}>
        <CopyItem icon="copy" label="Copy Python" text={() => pythonLines(location.origin, source, query)} />
        <CopyItem icon="link" label="Copy the file's address" text={() => location.origin + address} />
      </div>
      <p className={classes.note}>{CARRIES}</p>
    </>
  )
}

/** A width is words for the eye and millimetres for the paper. */
function Print({ choice, change }: { choice: Choice; change: (patch: Partial<Choice>) => void }) {
  return (
    <>
      <Row name={`Width, ${WIDTHS[choice.width].hint}`}>
        <SegmentedControl aria-label="Width" value={choice.width} data={Object.entries(WIDTHS).map(([value, { label }]) => ({ value, label }))} onChange={(value) => change({ width: value as Width, font: null })} />
      </Row>
      {choice.width !== 'page' && (
        <Row name="Type, points">
          <NumberInput aria-label="Type in points" w={84} min={4} max={40} step={0.5} decimalScale={1} value={choice.font ?? WIDTHS[choice.width].font} onChange={(value) => typeof value === 'number' && value >= 4 && value <= 40 && change({ font: value })} />
        </Row>
      )}
      <Row name="Title and caption">
        <Switch aria-label="Title and caption" checked={choice.caption} onChange={(event) => change({ caption: event.currentTarget.checked })} />
      </Row>
    </>
  )
}

function OfTable({ experimentId, name, options }: TableProps) {
  const table = tableOf(experimentId, name)
  const picture = ofExperiment(experimentId, name)
  const text = useQuery({
    queryKey: ['experiment', experimentId, name, 'latex', options],
    queryFn: async ({ signal }) => (await fetchRaw(addressOf(table, { ...options, format: 'latex' }), signal)).text(),
  })
  const { copied, copy } = useClipboard({ timeout: 1500 })
  const address = (format: FileFormat) => addressOf(table, { ...options, format })
  const latex = () => text.data !== undefined && copy(text.data)
  return (
    <div
      className={classes.panel}
      onKeyDown={(event) => {
        if (event.key.toLowerCase() === 'l' && !event.ctrlKey && !event.metaKey && !event.altKey) latex()
      }}
    >
      <Item icon={copied ? 'check' : 'copy'} label={copied ? 'Copied' : 'Copy LaTeX, booktabs'} hint={<kbd>L</kbd>} onClick={latex} disabled={text.data === undefined} autoFocus />
      <pre className={classes.preview} tabIndex={0} aria-label="LaTeX of the table">
        {text.data === undefined ? (text.error ? 'The table could not be written.' : 'Writing …') : latexBody(text.data)}
      </pre>
      <div className={classes.items}>
        <SaveItem address={address('csv')} file={fileName(table, 'csv')} label="Download CSV, all digits" />
        <SaveItem address={address('latex')} file={fileName(table, 'latex')} label="Download LaTeX" />
        <CopyItem icon="copy" label="Copy Python" text={() => pythonLines(location.origin, table, { ...options, format: 'latex' })} />
      </div>
      <Row name="As a picture">
        <span className={classes.wrap}>
          {PICTURES.map((format) => (
            <Download key={format} quiet address={addressOf(picture, { ...options, format, caption: 'no' })} file={fileName(picture, format)} label={format.toUpperCase()} />
          ))}
        </span>
      </Row>
      <p className={classes.note}>Bold is the best mean of one data set and size; no test decides it. {CARRIES}</p>
    </div>
  )
}

function Row({ name, children }: { name: string; children: ReactNode }) {
  return (
    <div className={classes.row}>
      <span className={classes.name} aria-hidden>
        {name}
      </span>
      {children}
    </div>
  )
}

interface ItemProps {
  icon: IconName
  label: string
  hint?: ReactNode
  disabled?: boolean
  autoFocus?: boolean
  onClick: () => void
}

function Item({ icon, label, hint, disabled, autoFocus, onClick }: ItemProps) {
  return (
    <button type="button" className={classes.item} onClick={onClick} disabled={disabled} data-autofocus={autoFocus || undefined}>
      <Icon name={icon} />
      {label}
      {hint}
    </button>
  )
}

function CopyItem({ icon, label, text }: { icon: IconName; label: string; text: () => string }) {
  const { copied, copy } = useClipboard({ timeout: 1500 })
  return <Item icon={copied ? 'check' : icon} label={copied ? 'Copied' : label} onClick={() => copy(text())} />
}

function SaveItem({ address, file, label }: { address: string; file: string; label: string }) {
  const { save, saving } = useSave(address, file)
  return <Item icon="download" label={label} onClick={save} disabled={saving} />
}

function Download({ address, file, label, quiet = false }: { address: string; file: string; label: string; quiet?: boolean }) {
  const { save, saving } = useSave(address, file)
  return (
    <Button variant={quiet ? 'default' : 'filled'} loading={saving} onClick={save}>
      {label}
    </Button>
  )
}

/** Fetched first, so that a refusal is said here and not saved under the file's name. */
function useSave(address: string, file: string): { save: () => void; saving: boolean } {
  const [saving, setSaving] = useState(false)
  const start = () => {
    setSaving(true)
    void fetchRaw(address)
      .then((answer) => answer.blob())
      .then((blob) => save(blob, file))
      .catch(toastError)
      .finally(() => setSaving(false))
  }
  return { save: start, saving }
}

function parsed(text: string | undefined): unknown {
  try {
    return JSON.parse(text ?? '')
  } catch {
    return null
  }
}
