import { useNavigate } from '@tanstack/react-router'

import { CopyLink } from '../../components/CopyLink'
import { PageHeader } from '../../components/PageHeader'
import { RunList, searchOf, viewOf } from '../../components/runs/RunList'
import { runsRoute } from '../../router'
import classes from './RunsPage.module.css'

/** The runs of all experiments, and those of people's own scripts. */
export function RunsPage() {
  const search = runsRoute.useSearch()
  const navigate = useNavigate()
  return (
    <>
      <PageHeader title="All runs" tabTitle="All runs" actions={<CopyLink />} />
      <div className={classes.page}>
        <RunList
          experiment={null}
          view={viewOf({ ...search })}
          change={(changed) => void navigate({ to: '/runs', search: (previous) => ({ ...previous, ...searchOf(changed) }), replace: 'filter' in changed, resetScroll: false })}
        />
      </div>
    </>
  )
}
