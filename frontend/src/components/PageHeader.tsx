import { Link, type LinkProps } from '@tanstack/react-router'
import { useEffect, type ReactNode } from 'react'

import { Icon } from './icons'
import classes from './PageHeader.module.css'

export interface Crumb {
  label: string
  to: LinkProps
}

interface Props {
  /** the places above this page */
  crumbs?: Crumb[]
  title: ReactNode
  /** of the browser's tab; progress comes first there */
  tabTitle: string
  actions?: ReactNode
}

/** The 52 px line at the top: where this is, and what can be done with all of it. */
export function PageHeader({ crumbs, title, tabTitle, actions }: Props) {
  useEffect(() => {
    document.title = tabTitle === 'Depthboard' ? tabTitle : `${tabTitle} · Depthboard`
  }, [tabTitle])
  return (
    <header className={classes.header}>
      <div className={classes.trail}>
        {crumbs?.map((crumb) => (
          <span key={crumb.label} className={classes.crumb}>
            <Link {...crumb.to} className="ellipsis">
              {crumb.label}
            </Link>
            <Icon name="right" size={14} />
          </span>
        ))}
        <h1 className={classes.title}>{title}</h1>
      </div>
      <div className={classes.actions}>{actions}</div>
    </header>
  )
}
