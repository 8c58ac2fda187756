import { existsSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { stringify } from 'smol-toml'
import { StartupError } from '../errors.ts'
import { replaceFile, syncFolder } from '../files.ts'
import { readToml } from './toml-file.ts'

/** Where the screen writes down what was chosen there; in the data folder. */
export const CHOSEN_FILE = 'settings.toml'

/** Texts by the setting's dotted name in a file. */
export type Chosen = ReadonlyMap<string, string>

/** Writes down what the next start shall take, secrets included, for the user alone who runs the base. Durable when it returns. */
export async function writeChosen(dataDir: string, chosen: Chosen): Promise<void> {
  const path = join(dataDir, CHOSEN_FILE)
  if (chosen.size > 0) return replaceFile(path, `${HEAD}\n${stringify(tablesOf(chosen))}\n`)
  if (!existsSync(path)) return
  await rm(path)
  await syncFolder(dataDir)
}

const HEAD = '# Written by the screen (Settings). Options, the environment and flightcase.toml win over it.'

function tablesOf(chosen: Chosen): Record<string, Record<string, string>> {
  const tables: Record<string, Record<string, string>> = {}
  for (const [name, text] of chosen) {
    const [table = '', key = ''] = name.split('.')
    tables[table] = { ...tables[table], [key]: text }
  }
  return tables
}

/** What the screen wrote down. Throws `StartupError` when that cannot be read. */
export function readChosen(dataDir: string): Map<string, string> {
  const { values, problem } = readToml(join(dataDir, CHOSEN_FILE), false)
  if (problem !== null) throw new StartupError('invalid_configuration', problem)
  return new Map([...values].map(([name, value]) => [name, String(value)]))
}
