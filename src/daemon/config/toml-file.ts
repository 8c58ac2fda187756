import { existsSync, readFileSync } from 'node:fs'
import { parse as parseToml, TomlError } from 'smol-toml'
import { messageOf } from '../errors.ts'

/** What stands in a TOML file, by dotted name. */
export interface TomlFile {
  path: string
  values: ReadonlyMap<string, unknown>
  /** Why nothing could be read from it; null when it was read or need not be there. */
  problem: string | null
}

/** Reads a file that need not be there unless it `mustExist`. Raises nothing: see `problem`. */
export function readToml(path: string, mustExist: boolean): TomlFile {
  const values = new Map<string, unknown>()
  if (!existsSync(path))
    return { path, values, problem: mustExist ? `there is no configuration file at ${path}` : null }
  try {
    flatten(parseToml(readFileSync(path, 'utf8')), '', values)
    return { path, values, problem: null }
  } catch (error) {
    // The parser's message quotes the line, which may hold a secret.
    const reason = error instanceof TomlError ? `the mistake is in line ${error.line}` : messageOf(error)
    return { path, values, problem: `${path} cannot be read as TOML: ${reason}` }
  }
}

function flatten(table: object, prefix: string, into: Map<string, unknown>): void {
  for (const [key, value] of Object.entries(table)) {
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) flatten(value, `${prefix}${key}.`, into)
    else into.set(prefix + key, value)
  }
}
