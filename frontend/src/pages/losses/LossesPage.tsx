import { Skeleton } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'

import { catalogueQuery } from '../../api/queries'
import type { LossEntry } from '../../api/types'
import { ButtonLink } from '../../components/ButtonLink'
import { ErrorPanel } from '../../components/ErrorPanel'
import { Formula } from '../../components/Formula'
import { Icon } from '../../components/icons'
import { LossGlyph, LossName } from '../../components/LossGlyph'
import { PageHeader } from '../../components/PageHeader'
import { settingValue } from '../../lib/format'
import { fieldsOf, type Field, type JsonSchema } from '../../lib/schema'
import { lossesRoute } from '../../router'
import classes from './Losses.module.css'

/** Each loss by its formula, its parameters and where it comes from. */
export function LossesPage() {
  const query = useQuery(catalogueQuery())
  const { name } = lossesRoute.useSearch()
  const losses = query.data?.losses
  const chosen = losses?.find((loss) => loss.name === name) ?? losses?.[0]
  return (
    <>
      <PageHeader
        title="Losses"
        tabTitle={chosen ? `${chosen.title}, losses` : 'Losses'}
        actions={
          <ButtonLink to="/experiments/new" variant="default" leftSection={<Icon name="plus" size={14} />}>
            Use in an experiment
          </ButtonLink>
        }
      />
      <div className={classes.page}>
        {query.error && !losses && <ErrorPanel error={query.error} onRetry={() => void query.refetch()} what="The losses could not be read." />}
        {query.isPending && <Skeleton height={320} animate={false} />}
        {losses && chosen && (
          <div className={classes.columns}>
            <List losses={losses} chosen={chosen.name} />
            <Detail loss={chosen} />
          </div>
        )}
      </div>
    </>
  )
}

function List({ losses, chosen }: { losses: LossEntry[]; chosen: string }) {
  return (
    <nav aria-label="Losses">
      <ul className={classes.list}>
        {losses.map((loss) => (
          <li key={loss.name}>
            <Link to="/losses" search={{ name: loss.name }} className={classes.entry} data-active={loss.name === chosen || undefined} aria-current={loss.name === chosen ? 'page' : undefined}>
              <LossName name={loss.name} line />
            </Link>
          </li>
        ))}
      </ul>
      <p className={classes.note}>Colour, dash and marker stay with a loss on every page and in every export.</p>
    </nav>
  )
}

function Detail({ loss }: { loss: LossEntry }) {
  const fields = fieldsOf(loss.json_schema as JsonSchema)
  return (
    <article className={classes.detail}>
      <div className={classes.head}>
        <LossGlyph name={loss.name} line />
        <h2 className="title">{loss.title}</h2>
      </div>
      <div className={classes.formula} tabIndex={0} role="group" aria-label={`Formula of ${loss.title}`}>
        <Formula latex={loss.formula} display />
      </div>
      <p className={classes.words}>{loss.description}</p>
      <p className="secondary">
        <Formula latex="\ell = y - \hat y" /> in metres, <Formula latex="d = \ln y - \ln \hat y" />, over the n valid pixels; y is the ground truth.
      </p>
      <section aria-label="Parameters">
        <h3 className="section">Parameters</h3>
        <Parameters fields={fields} />
      </section>
      <section aria-label="Sources">
        <h3 className="section">Sources</h3>
        <ul className={classes.sources}>
          {loss.sources.map((source) => (
            <li key={source}>{source}</li>
          ))}
        </ul>
      </section>
    </article>
  )
}

function Parameters({ fields }: { fields: Field[] }) {
  return (
    <div className="scroll-x">
      <table className="table">
        <thead>
          <tr>
            <th>Name</th>
            <th>In the YAML</th>
            <th className="right">Default</th>
            <th className={classes.meaning}>Meaning</th>
          </tr>
        </thead>
        <tbody>
          {fields.map((field) => (
            <tr key={field.path}>
              <td>{field.title}</td>
              <td className="mono">{field.path}</td>
              <td className="right num">{settingValue(field.default)}</td>
              <td className={classes.meaning}>{field.description}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  )
}
