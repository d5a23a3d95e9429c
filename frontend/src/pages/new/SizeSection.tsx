import { Button, NumberInput, Popover } from '@mantine/core'
import { useState } from 'react'

import { Icon } from '../../components/icons'
import { count } from '../../lib/format'
import { levelsOf, setLevels } from '../../lib/spec'
import { Chip } from './Chip'
import { trainImages, useChosenDataset } from './DataSection'
import { useForm } from './draft'
import { Line } from './Line'
import classes from './New.module.css'

const PATH = 'data.train_size'

/** How many training images; none chosen means all. */
export function SizeSection() {
  const { spec, change, faultAt } = useForm()
  const { entry, split } = useChosenDataset()
  const most = trainImages(entry, split)
  const sizes = levelsOf(spec, PATH) ?? []
  const set = (next: unknown[]) => change(setLevels(spec, PATH, next))
  const tooLarge = most !== undefined && sizes.some((size) => Number(size) > most)
  const hint = most === undefined ? undefined : `${count(most)} in this split. Smaller sizes are equally spaced subsets.`
  return (
    <Line label="Train sizes" fault={faultAt(PATH) ?? (tooLarge ? `This split has ${count(most!)} training images.` : null)} hint={hint}>
      <div className={classes.chips}>
        {sizes.length === 0 && <Chip label="all images" />}
        {sizes.map((size) => (
          <Chip key={String(size)} label={size === null ? 'all images' : count(Number(size))} bad={most !== undefined && Number(size) > most} onRemove={() => set(sizes.filter((other) => other !== size))} />
        ))}
        <AddSize most={most} onAdd={(size) => set([...sizes, size].filter((s, i, all) => all.indexOf(s) === i).toSorted((a, b) => Number(a ?? Infinity) - Number(b ?? Infinity)))} />
      </div>
    </Line>
  )
}

function AddSize({ most, onAdd }: { most?: number; onAdd: (size: number) => void }) {
  const [opened, setOpened] = useState(false)
  const [value, setValue] = useState<string | number>('')
  const add = () => {
    if (typeof value !== 'number') return
    onAdd(value)
    setValue('')
    setOpened(false)
  }
  return (
    <Popover opened={opened} onChange={setOpened} trapFocus>
      <Popover.Target>
        <Button variant="default" leftSection={<Icon name="plus" size={13} />} onClick={() => setOpened(true)}>
          Size
        </Button>
      </Popover.Target>
      <Popover.Dropdown>
        <form
          className="row"
          onSubmit={(event) => {
            event.preventDefault()
            add()
          }}
        >
          <NumberInput data-autofocus aria-label="Training images" w={120} min={1} max={most} clampBehavior="none" allowDecimal={false} thousandSeparator=" " value={value} onChange={setValue} />
          <Button type="submit" disabled={typeof value !== 'number'}>
            Add
          </Button>
        </form>
      </Popover.Dropdown>
    </Popover>
  )
}
