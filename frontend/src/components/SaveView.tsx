import { Button, Modal, TextInput } from '@mantine/core'
import { useState, type FormEvent } from 'react'

import { ApiError } from '../api/client'
import { pathExperiment, viewName } from '../lib/address'
import classes from './SavedViews.module.css'
import { toast } from './toast'
import { useViewMoves } from './useViews'

/** Gives what is on the screen a name: the address holds all of it. */
export function SaveView({ onClose }: { onClose: () => void }) {
  const { pathname: path, search } = location
  const experiment = pathExperiment(path)
  const [name, setName] = useState(() => viewName(document.title, path))
  const { save } = useViewMoves()
  const submit = (event: FormEvent) => {
    event.preventDefault()
    save.mutate(
      { name: name.trim(), experiment_id: experiment, path, search },
      {
        onSuccess: (view) => {
          toast(`“${view.name}” is in the side bar.`)
          onClose()
        },
      },
    )
  }
  return (
    <Modal opened onClose={onClose} size={440} title={<b>Save this view</b>} closeButtonProps={{ 'aria-label': 'Close' }}>
      <form onSubmit={submit} className={classes.form}>
        <TextInput
          data-autofocus
          label="Name"
          maxLength={200}
          value={name}
          error={save.error ? [save.error.message, save.error instanceof ApiError ? save.error.remedy : ''].join(' ') : undefined}
          onChange={(event) => setName(event.currentTarget.value)}
          onFocus={(event) => event.currentTarget.select()}
        />
        <p className="secondary">It keeps what the address says: page, filter, metric, size, zoom. The numbers go on.</p>
        <div className={classes.buttons}>
          <Button variant="default" onClick={onClose}>
            Cancel
          </Button>
          <Button type="submit" disabled={name.trim() === ''} loading={save.isPending}>
            Save
          </Button>
        </div>
      </form>
    </Modal>
  )
}
