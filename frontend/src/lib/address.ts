/** What an address is about. */

/** `/experiments/12/runs` -> 12; null outside an experiment. */
export function pathExperiment(path: string): number | null {
  const found = /^\/experiments\/(\d+)(?:\/|$)/.exec(path)
  return found ? Number(found[1]) : null
}

/** What a view of this page may be called before someone names it: `Convergence, Seven losses`. */
export function viewName(title: string, path: string): string {
  const plain = title.replace(/ · Depthboard$/, '').replace(/^\d+\/\d+ /, '')
  const tab = /^\/experiments\/\d+\/([\w-]+)/.exec(path)?.[1]?.replace('-', ' ')
  if (plain === 'Depthboard') return 'Experiments'
  return tab ? `${tab[0]!.toUpperCase()}${tab.slice(1)}, ${plain}` : plain
}
