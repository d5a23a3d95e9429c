/** What a table of words says of a name that a person gave: `constructor` and `__proto__` are names like others. */
export function own<T>(table: Record<string, T>, name: string): T | undefined {
  return Object.hasOwn(table, name) ? table[name] : undefined
}
