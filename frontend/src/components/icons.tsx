/** Line icons on a 24 grid, drawn in the text's colour. */

const PATHS = {
  experiments: 'M9 3h6M10 3v6.5L4.8 18a2 2 0 0 0 1.7 3h11a2 2 0 0 0 1.7-3L14 9.5V3M7.5 14.5h9',
  runs: 'M8.5 6h12M8.5 12h12M8.5 18h12M4 6v.01M4 12v.01M4 18v.01',
  losses: 'M4 19c2.5 0 3.2-1.5 3.8-5l1-6C9.4 4.5 10.3 4 12 4M5.5 10.5H12M14 13l5.5 6.5M19.5 13L14 19.5',
  datasets: 'M12 3l8.5 4.3L12 11.6L3.5 7.3ZM3.5 12l8.5 4.3L20.5 12M3.5 16.7L12 21l8.5-4.3',
  workers: 'M4 4.5h16v6H4ZM4 13.5h16v6H4ZM7.5 7.5v.01M7.5 16.5v.01M12 7.5h5M12 16.5h5',
  search: 'M10.5 4a6.5 6.5 0 1 1 0 13a6.5 6.5 0 1 1 0-13ZM15.5 15.5L20.5 20.5',
  plus: 'M12 5v14M5 12h14',
  close: 'M6 6l12 12M18 6L6 18',
  check: 'M5 12.5l4.5 4.5L19.5 7',
  down: 'M6 9.5l6 6l6-6',
  right: 'M9.5 6l6 6l-6 6',
  download: 'M12 4v11M7.5 11L12 15.5L16.5 11M4.5 16v3.5h15V16',
  link: 'M10 14a4 4 0 0 0 5.7.3l3-3a4 4 0 0 0-5.7-5.7l-1.3 1.3M14 10a4 4 0 0 0-5.7-.3l-3 3a4 4 0 0 0 5.7 5.7l1.3-1.3',
  more: 'M6 12v.01M12 12v.01M18 12v.01',
  retry: 'M19.5 12a7.5 7.5 0 1 1-2.2-5.3L20 9.3M20 4.5v4.8h-4.8',
  stop: 'M6.5 6.5h11v11h-11Z',
  pause: 'M8 5v14M16 5v14',
  up: 'M6 14.5l6-6l6 6',
  front: 'M5 4.5h14M12 20V9M7 13.5L12 8.5L17 13.5',
  grip: 'M9 6v.01M15 6v.01M9 12v.01M15 12v.01M9 18v.01M15 18v.01',
  play: 'M7.5 5l11 7l-11 7Z',
  trash: 'M4.5 7h15M9.5 7V4.5h5V7M6.5 7l.8 13h9.4l.8-13M10 11v5.5M14 11v5.5',
  pencil: 'M4.5 19.5l.8-4L16 4.8a2.1 2.1 0 0 1 3 3L8.3 18.6ZM14 7l3 3',
  copy: 'M9 9h11v11H9ZM15 9V4H4v11h5',
  sun: 'M12 8a4 4 0 1 1 0 8a4 4 0 1 1 0-8ZM12 2.5v2M12 19.5v2M2.5 12h2M19.5 12h2M5.3 5.3l1.4 1.4M17.3 17.3l1.4 1.4M5.3 18.7l1.4-1.4M17.3 6.7l1.4-1.4',
  moon: 'M20 14.5A8.5 8.5 0 0 1 9.5 4A8.5 8.5 0 1 0 20 14.5Z',
  auto: 'M4 5h16v11H4ZM9 20h6M12 16v4',
  warning: 'M12 4L21.5 20H2.5ZM12 10v4.5M12 17.2v.01',
  info: 'M12 3.5a8.5 8.5 0 1 1 0 17a8.5 8.5 0 1 1 0-17ZM12 11v5M12 8v.01',
  lock: 'M6 11h12v9H6ZM8.5 11V8a3.5 3.5 0 0 1 7 0v3',
  quote: 'M10 7H5v6h4c0 2.5-1 3.5-3 4M19.5 7h-5v6h4c0 2.5-1 3.5-3 4',
  bookmark: 'M7 4h10v16l-5-4l-5 4Z',
  archive: 'M4 5h16v4H4ZM5.5 9v10h13V9M10 13h4',
  pin: 'M9 4h6M10 4v6l-3 4h10l-3-4V4M12 14v6',
  notes: 'M5 4.5h14v11l-4.5 4.5H5ZM19 15.5h-4.5V20M8.5 9h7M8.5 12.5h5',
  compare: 'M4 8.5h9M10 5.5l3 3l-3 3M20 15.5h-9M14 12.5l-3 3l3 3',
  columns: 'M4 5h16v14H4ZM9.5 5v14M14.5 5v14',
  sliders: 'M4 7h9M17 7h3M13 4.5v5M4 17h3M11 17h9M11 14.5v5M15 7a0 0 0 0 1 0 0',
} as const

export type IconName = keyof typeof PATHS

export function Icon({ name, size = 16 }: { name: IconName; size?: number }) {
  const width = name === 'more' || name === 'grip' ? 2.6 : 1.7
  return (
    <svg width={size} height={size} viewBox="0 0 24 24" fill="none" stroke="currentColor" strokeWidth={width} strokeLinecap="round" strokeLinejoin="round" aria-hidden focusable="false">
      <path d={PATHS[name]} />
    </svg>
  )
}

export function Logo() {
  return (
    <svg width="20" height="20" viewBox="0 0 22 22" aria-hidden focusable="false">
      <rect width="22" height="22" rx="6" fill="var(--db-text)" />
      <path d="M6 7.5h5M6 11h10M6 14.5h7.5" stroke="var(--db-page)" strokeWidth="2" strokeLinecap="round" fill="none" />
    </svg>
  )
}
