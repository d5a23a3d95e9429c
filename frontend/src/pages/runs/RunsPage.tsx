import { useNavigate } from '@tanstack/react-router'

import { PageHeader } from '../../components/PageHeader'
import { RunList } from '../../components/RunList'
import { runsRoute } from '../../router'
import classes from './RunsPage.module.css'

/** The runs of all experiments, and those of people's own scripts. */
export function RunsPage() {
  const search = runsRoute.useSearch()
  const navigate = useNavigate()
  return (
    <>
      <PageHeader title="All runs" tabTitle="All runs" />
      <div className={classes.page}>
        <RunList
          experiment={null}
          choice={{ filter: search.q, sort: search.sort, page: search.page }}
          change={({ filter, sort, page }) => void navigate({ to: '/runs', search: { q: filter, sort, page }, replace: true, resetScroll: false })}
          controlsClass={classes.controls}
        />
      </div>
    </>
  )
}
