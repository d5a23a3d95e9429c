import { useQuery } from '@tanstack/react-query'

import { catalogueQuery } from '../../api/queries'
import { ButtonLink } from '../../components/ButtonLink'
import { Command } from '../../components/Command'
import classes from './Experiments.module.css'

/** The first page a person sees: the one button, and the one command, that make data appear. */
export function EmptyList() {
  const presets = useQuery(catalogueQuery()).data?.presets ?? []
  return (
    <section className={classes.empty}>
      <h2 className="section">No experiments yet</h2>
      <p>Start with a ready one. Its runs, their number and the time they take are shown before anything is launched.</p>
      <div className={classes.presets}>
        {presets.map((preset, i) => (
          <ButtonLink key={preset.name} to="/experiments/new" search={{ preset: preset.name }} variant={i === 0 ? 'filled' : 'default'}>
            {preset.title}
          </ButtonLink>
        ))}
      </div>
      <p className="secondary">Or from a terminal:</p>
      <Command text="make demo" />
      <Command text="depthboard submit experiment.yaml" />
    </section>
  )
}
