import { Select } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { useState } from 'react'

import { catalogueQuery } from '../../api/queries'
import { Command } from '../../components/Command'
import classes from './Datasets.module.css'

/** Data lie on the machine that trains, so a command there registers them: the page can only say which. */
export function AddDataset() {
  const formats = useQuery(catalogueQuery()).data?.formats ?? []
  const [chosen, setChosen] = useState<string | null>(null)
  const format = formats.find((f) => f.name === chosen) ?? formats[0]
  return (
    <section className={classes.add} aria-label="Add a dataset">
      <h2 className="section">Add a dataset</h2>
      <p className="secondary">On the machine where the files lie:</p>
      <Select aria-label="Format" data={formats.map((f) => ({ value: f.name, label: f.name }))} value={format?.name ?? null} onChange={setChosen} />
      {format && (
        <>
          <p className="secondary">{format.description}</p>
          <Command text={`depthboard data add NAME --format ${format.name} PATH`} />
          {format.options.length > 0 && <p className="secondary">Options: {format.options.map((option) => `--option ${option}=…`).join(', ')}</p>}
        </>
      )}
    </section>
  )
}
