/** What a live event changes in the cache: small facts are written in place, the rest is fetched again, many events at once. */

import type { QueryClient, QueryKey } from '@tanstack/react-query'

import type { LiveEvent, RunDetail, RunPage, RunSummary } from './types'

interface Stale {
  key: QueryKey
  /** only this query, not those whose keys begin with it */
  exact?: boolean
  /** figures and tables wait longer than a curve: they cost the server more and change less */
  slow?: boolean
  /** of comparisons only those that hold this run */
  comparing?: number
}

const FAST_MS = 400
const SLOW_MS = 2500

/** The queries an event makes stale; `wentOn` says that a run's event brings progress and nothing else. */
export function staleBy(event: LiveEvent, wentOn = false): Stale[] {
  const run = event.run_id ?? -1
  const experiments = event.experiment_ids ?? []
  const each = (...rest: string[]): Stale[] => experiments.map((id) => ({ key: ['experiment', id, ...rest], slow: true }))
  switch (event.kind) {
    case 'points':
      return [{ key: ['run', run, 'curves'] }, compared(run), ...each('figure', 'curves')]
    case 'evaluation':
      // The figure of every run: in that of another seed this run is in the band.
      return [{ key: ['run-figure', run] }, { key: ['run-figure'], slow: true }, compared(run), { key: ['run', run, 'checkpoints'], slow: true }, { key: ['runs', 'page'], slow: true }, { key: ['runs', 'sparklines'], slow: true }, ...each('runs'), ...each('run-page'), ...each('figure'), ...each('results'), ...each('sharpness')]
    case 'prediction':
      return [{ key: ['run', run, 'predictions'], slow: true }, ...each('qualitative')]
    case 'log':
      return [{ key: ['run', run, 'log'], slow: true }]
    case 'run':
      return wentOn ? runWentOn(experiments) : runChanged(run, experiments)
    case 'experiment':
      return [{ key: ['experiments'] }, { key: ['queue'] }, { key: ['runs'] }, { key: ['views'] }, ...NAMES, ...experiments.map((id) => ({ key: ['experiment', id], exact: true })), ...each('runs'), ...each('run-page')]
    case 'worker':
      return [{ key: ['workers'], slow: true }]
    case 'dataset':
      return [{ key: ['datasets'] }, ...each('figure')]
  }
}

/** What tables of runs are filtered by, and which settings differ: it costs the server more than the rows. */
const NAMES: Stale[] = [{ key: ['run-names'], slow: true }, { key: ['run-differing'], slow: true }]

function compared(run: number): Stale {
  return { key: ['runs', 'compare'], slow: true, comparing: run }
}

/** A run that only went on changes no list, just the progress and ETA of what links it. */
function runWentOn(experiments: number[]): Stale[] {
  const details = experiments.map((id) => ({ key: ['experiment', id], exact: true, slow: true }))
  return [{ key: ['experiments'], slow: true }, ...details]
}

function runChanged(run: number, experiments: number[]): Stale[] {
  const runs = experiments.flatMap((id) => ['runs', 'run-page'].map((list) => ({ key: ['experiment', id, list], slow: true })))
  return [{ key: ['run', run], exact: true }, { key: ['run-figure', run] }, { key: ['runs'] }, { key: ['queue'] }, { key: ['workers'] }, NAMES[0]!, ...runs, ...runWentOn(experiments)]
}

/** What a list or a queue shows of a run; where none of it changed the run only went on. */
const STANDING = ['status', 'attempt', 'cancel_requested', 'pause_requested', 'held', 'stalled', 'priority', 'position', 'reason'] as const

const LIVE_FIELDS = ['status', 'step', 'epoch', 'images_seen', 'images_per_second', 'eta_seconds', 'attempt', 'reason', 'cancel_requested', 'pause_requested', 'held', 'stalled', 'priority', 'diverged_at'] as const

/** The fields of a run that an event carries. */
export function runPatch(event: LiveEvent): Partial<RunSummary> {
  const data = event.data ?? {}
  return Object.fromEntries(LIVE_FIELDS.filter((field) => data[field] !== undefined).map((field) => [field, data[field]]))
}

/** A run with the event's news; what follows from the step is carried along until the run itself is read again. */
export function advance<T extends RunSummary>(run: T, patch: Partial<RunSummary>): T {
  const next = { ...run, ...patch }
  if (next.step === run.step || run.step === 0) return next
  const ratio = next.step / run.step
  const images = patch.images_seen ?? run.images_seen * ratio
  const perStep = images / next.step
  const speed = next.images_per_second
  const eta = patch.eta_seconds ?? (speed ? ((next.steps - next.step) * perStep) / speed : run.eta_seconds)
  return { ...next, images_seen: images, epoch: patch.epoch ?? run.epoch * ratio, eta_seconds: eta }
}

/** Whether `3,17,4` names the run. */
function holds(runs: unknown, run: number): boolean {
  return String(runs).split(',').includes(String(run))
}

/** Collects stale queries and fetches each once a beat. */
export class LiveCache {
  private readonly waiting = { fast: new Map<string, Stale>(), slow: new Map<string, Stale>() }
  private readonly lastKnown = new Map<number, string>()
  private readonly timers: Partial<Record<'fast' | 'slow', ReturnType<typeof setTimeout>>> = {}

  constructor(private readonly client: QueryClient) {}

  apply(event: LiveEvent): void {
    this.patchRun(event)
    for (const stale of staleBy(event, this.wentOn(event))) this.add(stale)
  }

  private wentOn(event: LiveEvent): boolean {
    if (event.kind !== 'run' || event.run_id == null) return false
    const now = JSON.stringify(STANDING.map((field) => event.data?.[field]))
    const before = this.lastKnown.get(event.run_id)
    this.lastKnown.set(event.run_id, now)
    return before === now
  }

  private patchRun(event: LiveEvent): void {
    const patch = runPatch(event)
    if (event.run_id == null || Object.keys(patch).length === 0) return
    const known = this.client.getQueryData<RunDetail>(['run', event.run_id])
    // A new attempt may begin behind the last point: its curves are read from the start.
    if (known && patch.attempt !== undefined && patch.attempt !== known.attempt) void this.client.resetQueries({ queryKey: ['run', event.run_id, 'curves'] })
    const apply = <T extends RunSummary>(run: T): T => (run.id === event.run_id ? advance(run, patch) : run)
    this.client.setQueryData<RunDetail>(['run', event.run_id], (run) => run && apply(run))
    for (const id of event.experiment_ids ?? []) {
      this.client.setQueriesData<RunSummary[]>({ queryKey: ['experiment', id, 'runs'] }, (runs) => runs?.map(apply))
      this.client.setQueriesData<RunPage>({ queryKey: ['experiment', id, 'run-page'] }, (page) => page && { ...page, items: page.items.map(apply) })
    }
    this.client.setQueriesData<RunPage>({ queryKey: ['runs', 'page'] }, (page) => page && { ...page, items: page.items.map(apply) })
  }

  private add(stale: Stale): void {
    const beat = stale.slow ? 'slow' : 'fast'
    this.waiting[beat].set(JSON.stringify([stale.key, stale.exact, stale.comparing]), stale)
    this.timers[beat] ??= setTimeout(() => this.flush(beat), beat === 'slow' ? SLOW_MS : FAST_MS)
  }

  private flush(beat: 'fast' | 'slow'): void {
    this.timers[beat] = undefined
    const due = [...this.waiting[beat].values()]
    this.waiting[beat].clear()
    for (const { key, exact, comparing } of due) void this.client.invalidateQueries({ queryKey: key, exact, predicate: comparing === undefined ? undefined : ({ queryKey }) => holds(queryKey[2], comparing) })
  }
}
