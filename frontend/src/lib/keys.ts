/**
 * Every key of the dashboard, once: what `useKeys` binds, and what the sheet behind `?` lists.
 * A key is written as people read it: `j`, `Shift Enter`, `Ctrl K` (⌘ on a Mac), `g e` (one after the other); alternatives are an array.
 */

export interface Key {
  keys: readonly string[]
  words: string
  /** bound by the widget that has the focus, not by `useKeys`: the sheet alone reads it */
  own?: true
}

export interface Scope {
  title: string
  keys: Record<string, Key>
}

const key = (keys: string | readonly string[], words: string): Key => ({ keys: typeof keys === 'string' ? [keys] : keys, words })
const own = (keys: string | readonly string[], words: string): Key => ({ ...key(keys, words), own: true })

export const KEYS = {
  everywhere: {
    title: 'Everywhere',
    keys: {
      palette: key('Ctrl K', 'find an experiment, a run, a page or an action'),
      sheet: key('?', 'this list'),
      undo: key('Ctrl Z', 'undo a change of the view'),
      save: key('Ctrl S', 'save this view under a name'),
      experiments: key('g e', 'go to the experiments'),
      runs: key('g r', 'go to all runs'),
      queue: key('g q', 'go to queue and workers'),
    },
  },
  experiments: {
    title: 'List of experiments',
    keys: {
      filter: key('/', 'filter the list'),
      next: key('j', 'next'),
      previous: key('k', 'previous'),
      open: key('Enter', 'open'),
      select: key('x', 'select, and take the selection back'),
      archive: key('e', 'archive, or put back, what is selected'),
      pin: key('p', 'pin, or unpin'),
    },
  },
  tabs: {
    title: 'Experiment',
    keys: {
      tabLeft: key('Shift ←', 'tab to the left'),
      tabRight: key('Shift →', 'tab to the right'),
      writeNotes: key('n', 'the notes, beside the tab'),
    },
  },
  completeness: {
    title: 'Completeness',
    keys: {
      walk: own(['↑', '↓', '←', '→'], 'walk over the cells'),
      choose: own('Space', 'say what happened to the run'),
      open: own('Enter', 'open the run'),
      range: own('Shift click', 'choose all cells up to this one, for retry or launch'),
    },
  },
  runs: {
    title: 'Tables of runs',
    keys: {
      filter: own('/', 'filter the list'),
      next: own('j', 'next'),
      previous: own('k', 'previous'),
      select: own('x', 'select; with Shift all up to this one'),
      open: own('Enter', 'open the run'),
      clear: own('Esc', 'select none'),
      several: own('Shift click', 'on a head: sort within the order there is'),
      width: own(['Alt ←', 'Alt →'], 'on a head: make the column narrower or wider'),
    },
  },
  launching: {
    title: 'New experiment',
    keys: {
      launch: own('Ctrl Enter', 'launch'),
    },
  },
  convergence: {
    title: 'Convergence',
    keys: {
      step: own(['←', '→'], 'move the crosshair, with the value table in focus'),
    },
  },
  qualitative: {
    title: 'Qualitative',
    keys: {
      step: own(['←', '→'], 'evaluation shown'),
      zoom: own(['wheel', 'drag'], 'zoom and move all depth maps; a double click shows them whole'),
      line: own('Shift drag', 'line along which depth is drawn'),
      a: key('a', 'the run under the cursor is A of the two compared'),
      b: key('b', 'the run under the cursor is B'),
      swipe: key('s', 'swipe A over B'),
      blink: key('Space', 'A and B in turn'),
      before: key('[', 'image before'),
      after: key(']', 'image after'),
      full: key('f', 'fill the screen'),
      back: key('Esc', 'back to all images'),
    },
  },
  queue: {
    title: 'Queue',
    keys: {
      move: own(['Alt ↑', 'Alt ↓'], 'move a run up or down'),
    },
  },
  notes: {
    title: 'Notes',
    keys: {
      save: own('Ctrl Enter', 'save the notes'),
    },
  },
} as const satisfies Record<string, Scope>

export type ScopeName = keyof typeof KEYS

/** Pages whose widgets bind their keys themselves. */
const PAGES: [RegExp, ScopeName][] = [
  [/^\/runs$|^\/experiments\/\d+\/runs$/, 'runs'],
  [/^\/experiments\/new$/, 'launching'],
  [/^\/experiments\/\d+\/convergence$/, 'convergence'],
  [/^\/experiments\/\d+\/qualitative$/, 'qualitative'],
  [/^\/workers$/, 'queue'],
]

export function scopesOf(path: string): ScopeName[] {
  return PAGES.filter(([page]) => page.test(path)).map(([, scope]) => scope)
}

export type KeyName<S extends ScopeName> = keyof (typeof KEYS)[S]['keys']

const NAMES: Record<string, string> = { ArrowUp: '↑', ArrowDown: '↓', ArrowLeft: '←', ArrowRight: '→', ' ': 'Space', Escape: 'Esc' }

export interface Pressed {
  key: string
  ctrlKey: boolean
  metaKey: boolean
  altKey: boolean
  shiftKey: boolean
}

/** How the table above writes what was pressed: `Ctrl K`, `Shift →`, `?`. Shift is part of a character that needs it. */
export function pressedName(event: Pressed): string {
  const letter = event.key.length === 1 && event.key !== ' '
  const control = event.ctrlKey || event.metaKey
  const name = NAMES[event.key] ?? (letter && (control || event.altKey) ? event.key.toUpperCase() : event.key)
  const held = [control && 'Ctrl', event.altKey && 'Alt', event.shiftKey && (!letter || control) && 'Shift']
  return [...held, name].filter(Boolean).join(' ')
}

/** Where one types, a key is a letter; in a dialog, in an open menu and where one is open the keys are theirs. Nobody types into what can only be chosen. */
const TYPING = 'input:not([type=checkbox],[type=radio],[type=range],[readonly]), textarea, select, [contenteditable]:not([contenteditable=false])'
const FLOATING = '[role=dialog], [role=menu], [role=listbox], [aria-haspopup][aria-expanded=true]'

export function isTyping(target: EventTarget | null): boolean {
  return target instanceof Element && target.closest(`${TYPING}, ${FLOATING}`) !== null
}

/** These have an Enter and a Space of their own. */
export function ownsEnter(target: EventTarget | null): boolean {
  return target instanceof Element && target.closest('a, button, summary, [role=button], [role=tab], [role=row]') !== null
}
