import { ActionIcon, Tooltip, useComputedColorScheme, useMantineColorScheme } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { Link, Outlet, useRouterState } from '@tanstack/react-router'

import { healthQuery, runsQuery } from '../api/queries'
import { Icon, Logo, type IconName } from './icons'
import { KeySheet } from './KeySheet'
import { ConnectionBar } from './Live'
import { Palette } from './Palette'
import classes from './Shell.module.css'

interface Place {
  to: '/' | '/compare' | '/runs' | '/losses' | '/datasets' | '/workers'
  label: string
  icon: IconName
}

const PLACES: Place[] = [
  { to: '/', label: 'Experiments', icon: 'experiments' },
  { to: '/compare', label: 'Compare', icon: 'compare' },
  { to: '/runs', label: 'All runs', icon: 'runs' },
  { to: '/losses', label: 'Losses', icon: 'losses' },
  { to: '/datasets', label: 'Datasets', icon: 'datasets' },
  { to: '/workers', label: 'Queue & workers', icon: 'workers' },
]

/** Tabs whose panels and tiles need the width: the side bar becomes a rail. */
const WIDE = /^\/(experiments\/[^/]+\/(convergence|qualitative|runs)|runs|compare)$/

export function Shell() {
  const path = useRouterState({ select: (state) => state.location.pathname })
  return (
    <div className={classes.shell} data-rail={WIDE.test(path) || undefined}>
      <a href="#main" className={classes.skip}>
        Skip to the page
      </a>
      <SideBar path={path} />
      <KeySheet />
      <div className={classes.page}>
        <ConnectionBar />
        <main id="main" className={classes.main} tabIndex={-1}>
          <Outlet />
        </main>
      </div>
    </div>
  )
}

function SideBar({ path }: { path: string }) {
  const health = useQuery(healthQuery())
  const waiting = useQuery(runsQuery('queued', 1)).data?.total
  return (
    <nav className={classes.side} aria-label="Main">
      <Link to="/" className={classes.brand} aria-label="Depthboard, all experiments">
        <Logo />
        <span className={classes.label}>Depthboard</span>
      </Link>
      <Palette />
      <ul className={classes.places}>
        {PLACES.map((place) => (
          <PlaceLink key={place.to} place={place} active={isActive(place.to, path)} badge={place.to === '/workers' ? waiting : undefined} />
        ))}
      </ul>
      <div className={classes.foot}>
        <span className={`secondary ${classes.label}`}>{health.data && `version ${health.data.version}`}</span>
        <SchemeToggle />
      </div>
    </nav>
  )
}

function PlaceLink({ place, active, badge }: { place: Place; active: boolean; badge?: number }) {
  return (
    <li>
      <Link to={place.to} className={classes.place} data-active={active || undefined} aria-current={active ? 'page' : undefined} title={place.label}>
        <Icon name={place.icon} />
        <span className={classes.label}>{place.label}</span>
        {badge ? <span className={`${classes.badge} num`}>{badge}</span> : null}
      </Link>
    </li>
  )
}

function isActive(to: Place['to'], path: string): boolean {
  if (to === '/') return path === '/' || path.startsWith('/experiments') || path.startsWith('/runs/')
  if (to === '/runs') return path === '/runs'
  return path.startsWith(to)
}

/** Light, dark, or whatever the system says. */
function SchemeToggle() {
  const { colorScheme, setColorScheme } = useMantineColorScheme()
  const computed = useComputedColorScheme('light')
  const next = colorScheme === 'auto' ? (computed === 'light' ? 'dark' : 'light') : colorScheme === computed && colorScheme === 'dark' ? 'light' : 'dark'
  return (
    <Tooltip label={colorScheme === 'auto' ? 'Colours follow the system' : `Colours: ${colorScheme}. Alt-click follows the system`}>
      <ActionIcon
        variant="subtle"
        color="gray"
        aria-label={`Switch to ${next} colours`}
        onClick={(event) => setColorScheme(event.altKey ? 'auto' : next)}
      >
        <Icon name={computed === 'light' ? 'sun' : 'moon'} />
      </ActionIcon>
    </Tooltip>
  )
}
