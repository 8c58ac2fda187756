/**
 * Whether any object in a JSON text repeats a member name. `JSON.parse` silently keeps the last one, so two readers of a policy
 * could see different documents. The text must already be valid JSON.
 */
export function hasDuplicateMembers(json: string): boolean {
  const open: (Set<string> | null)[] = []
  let expectsName = false
  for (let i = 0; i < json.length; i++) {
    const c = json[i]
    if (c === '{') {
      open.push(new Set())
      expectsName = true
    } else if (c === '[') {
      open.push(null)
      expectsName = false
    } else if (c === '}' || c === ']') {
      open.pop()
      expectsName = false
    } else if (c === ',') {
      expectsName = open.at(-1) instanceof Set
    } else if (c === '"') {
      const end = endOfString(json, i)
      const names = open.at(-1)
      if (expectsName && names) {
        const name: unknown = JSON.parse(json.slice(i, end))
        if (names.has(String(name))) return true
        names.add(String(name))
        expectsName = false
      }
      i = end - 1
    }
  }
  return false
}

/** Index after the closing quote of the string that starts at `start`. */
function endOfString(json: string, start: number): number {
  let i = start + 1
  while (json[i] !== '"') i += json[i] === '\\' ? 2 : 1
  return i + 1
}
