/** Joins callers that ask for the same thing while it is being done. */
export function once<T>(running: Map<string, Promise<T>>, key: string, task: () => Promise<T>): Promise<T> {
  const known = running.get(key)
  if (known) return known
  const started = task().finally(() => running.delete(key))
  running.set(key, started)
  return started
}
