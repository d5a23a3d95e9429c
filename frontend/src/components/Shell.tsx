import { ActionIcon, Menu } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { Link, Outlet, useNavigate, useRouterState } from '@tanstack/react-router'

import { healthQuery, runsQuery } from '../api/queries'
import { Icon, Logo, type IconName } from './icons'
import { KeySheet } from './KeySheet'
import { ConnectionBar } from './Live'
import { Palette } from './Palette'
import { SavedViews } from './SavedViews'
import classes from './Shell.module.css'
import { toast } from './toast'
import { useActions } from './actions'
import { useColours } from './useColours'
import { useKeys } from './useKeys'
import { useViewUndo } from './useViewUndo'

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
const WIDE = /^\/(experiments\/[^/]+\/(convergence|qualitative|runs)|runs)$/

export function Shell() {
  const path = useRouterState({ select: (state) => state.location.pathname })
  useShellKeys()
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

function useShellKeys() {
  const navigate = useNavigate()
  const undo = useViewUndo()
  useKeys('everywhere', {
    undo,
    experiments: () => void navigate({ to: '/' }),
    runs: () => void navigate({ to: '/runs' }),
    queue: () => void navigate({ to: '/workers' }),
  })
  const copy = () => void navigator.clipboard.writeText(location.href).then(() => toast('The link is copied: it holds the whole view.'))
  useActions([{ label: 'Copy link', icon: 'link', run: copy, words: 'permalink address' }])
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
      <SavedViews />
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

const COLOURS = [
  { scheme: 'auto', label: 'As the system', icon: 'auto' },
  { scheme: 'light', label: 'Light', icon: 'sun' },
  { scheme: 'dark', label: 'Dark', icon: 'moon' },
] as const

function SchemeToggle() {
  const { followsSystem, shown, choose } = useColours()
  const chosen = followsSystem ? 'auto' : shown
  return (
    <Menu position="top-end">
      <Menu.Target>
        <ActionIcon variant="subtle" color="gray" aria-label="Colours" title={followsSystem ? 'Colours follow the system' : `Colours: ${shown}`}>
          <Icon name={shown === 'light' ? 'sun' : 'moon'} />
        </ActionIcon>
      </Menu.Target>
      <Menu.Dropdown>
        {COLOURS.map(({ scheme, label, icon }) => (
          <Menu.Item key={scheme} leftSection={<Icon name={icon} size={14} />} rightSection={scheme === chosen && <Icon name="check" size={14} />} onClick={() => choose(scheme)}>
            {label}
          </Menu.Item>
        ))}
      </Menu.Dropdown>
    </Menu>
  )
}
