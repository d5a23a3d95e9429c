import { Skeleton } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'

import { catalogueQuery } from '../../api/queries'
import type { LossEntry } from '../../api/types'
import { ButtonLink } from '../../components/ButtonLink'
import { ErrorPanel, PanelBoundary } from '../../components/ErrorPanel'
import { Icon } from '../../components/icons'
import { LossName } from '../../components/LossGlyph'
import { PageHeader } from '../../components/PageHeader'
import { settingValue } from '../../lib/format'
import { fieldsOf, type Field, type JsonSchema } from '../../lib/schema'
import { lossesRoute } from '../../router'
import { LossHead, needsFile } from './LossHead'
import classes from './Losses.module.css'
import { Residuals } from './Residuals'
import { TwoAnswers } from './TwoAnswers'
import { WrongScale } from './WrongScale'

/** Of the catalogue, the first are the paper's own. */
const PAPER = 7

/** Each loss by its formula, what it does to an error, and where it comes from. */
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
          <ButtonLink to="/experiments/new" search={{ loss: chosen?.name }} variant="default" leftSection={<Icon name="plus" size={14} />}>
            Use in an experiment
          </ButtonLink>
        }
      />
      <div className={classes.page}>
        {query.error && !losses && <ErrorPanel error={query.error} onRetry={() => void query.refetch()} what="The losses could not be read." />}
        {query.isPending && <Skeleton height={320} animate={false} />}
        {losses && chosen && (
          <div className={classes.columns}>
            <nav aria-label="Losses">
              <List title="Paper" losses={losses.slice(0, PAPER)} chosen={chosen.name} />
              <List title="Extended" losses={losses.slice(PAPER)} chosen={chosen.name} />
              <p className={classes.note}>Colour, dash and marker stay with a loss on every page and in every export.</p>
            </nav>
            <Detail key={chosen.name} loss={chosen} />
          </div>
        )}
      </div>
    </>
  )
}

function List({ title, losses, chosen }: { title: string; losses: LossEntry[]; chosen: string }) {
  return (
    <>
      <h2 className={classes.group}>{title}</h2>
      <ul className={classes.list}>
        {losses.map((loss) => (
          <li key={loss.name}>
            <Link
              to="/losses"
              search={({ lam: _lam, s: _s, ...search }) => ({ ...search, name: loss.name })}
              className={classes.entry}
              data-active={loss.name === chosen || undefined}
              aria-current={loss.name === chosen ? 'page' : undefined}
            >
              <LossName name={loss.name} line />
              {needsFile(loss) && <span className="secondary">no weights</span>}
            </Link>
          </li>
        ))}
      </ul>
    </>
  )
}

function Detail({ loss }: { loss: LossEntry }) {
  return (
    <article className={classes.detail}>
      <LossHead loss={loss} />
      <PanelBoundary>
        <Residuals loss={loss} />
      </PanelBoundary>
      <PanelBoundary>
        <WrongScale loss={loss} />
      </PanelBoundary>
      <PanelBoundary>
        <TwoAnswers loss={loss} />
      </PanelBoundary>
      <section aria-label="Parameters">
        <h3 className="section">Parameters</h3>
        <Parameters fields={fieldsOf(loss.json_schema as JsonSchema)} />
      </section>
    </article>
  )
}

function Parameters({ fields }: { fields: Field[] }) {
  return (
    <div className="scroll-x" tabIndex={0} role="region" aria-label="Table of parameters">
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
