import { Command } from 'commander'
import type { SettingName } from '../config/schema.ts'
import { isDataDirInUse } from '../db/data-dir-lock.ts'
import { type VerifyReport, verifyStore } from '../embedded-store/engine/recovery/verify-store.ts'
import { messageOf } from '../errors.ts'
import { bytesText, countText } from './bytes-text.ts'
import { addConfigOptions, configFromOptions } from './config-options.ts'
import { damageLine, UNCHECKED, uncheckedLine } from './damage-line.ts'
import { listed } from './listed.ts'
import { storeIn } from './store-folder.ts'

const CONFIG_NAMES: SettingName[] = ['dataDir']

/** `verify`: compares the index of the embedded store with its files, also while the base runs. */
export function verifyCommand(): Command {
  return addConfigOptions(
    new Command('verify').description('look whether all media is there, as it was written'),
    CONFIG_NAMES
  )
    .option('--deep', 'read every byte; without it, only that each file is there with its size')
    .option('--json', 'print JSON, with everything that was found')
    .addHelpText(
      'after',
      '\nNothing is changed. The base may run; what arrives meanwhile is left out.\n' +
        'Exit code: 0 all is whole, 1 damage was found, 2 it, or some of it, could not be looked at.'
    )
    .action(async (options: { deep?: boolean; json?: boolean }) => {
      try {
        const report = await verify(options)
        process.stdout.write(options.json ? `${JSON.stringify(report)}\n` : textOf(report))
        if (report.damaged.length + report.indexProblems.length > 0) process.exitCode = 1
        else if (report.unchecked.length > 0) process.exitCode = 2
      } catch (error) {
        process.stderr.write(`${messageOf(error)}\n`)
        process.exitCode = 2
      }
    })
}

async function verify(options: { deep?: boolean }): Promise<VerifyReport> {
  const config = configFromOptions({ ...options })
  const directory = storeIn(config)
  // Where nobody can look whether it runs, it may.
  const isInUse = isDataDirInUse(config.dataDir) !== false
  return verifyStore(directory, { deep: options.deep === true, isInUse, onProgress: progress() })
}

const PROGRESS_MS = 2000

/** Says now and then how far it has come, to a person only. */
function progress(): (doneBytes: number) => void {
  let nextAtMs = Date.now() + PROGRESS_MS
  return (doneBytes) => {
    if (!process.stderr.isTTY || Date.now() < nextAtMs) return
    nextAtMs = Date.now() + PROGRESS_MS
    process.stderr.write(`\r${bytesText(doneBytes)} … `)
  }
}

function textOf({ deep, objects, files, bytes, indexProblems, damaged, unchecked, nameless }: VerifyReport): string {
  if (indexProblems.length > 0)
    return [
      ...listed(
        'The index of the object store is damaged or missing, so its files cannot be compared with it:',
        indexProblems
      ),
      'Stop Flightcase and call "flightcase rebuild-index", which makes it anew from its daily copies and logs.',
      ''
    ].join('\n')
  const looked = deep ? 'every byte was read' : 'their bytes were not read (--deep does)'
  return [
    `${countText(objects, 'object')} in ${countText(files, 'file')}, ${bytesText(bytes)}; ${looked}.`,
    ...(damaged.length === 0 ? [] : [`Of the files, ${damaged.length} are damaged or missing.`]),
    ...(damaged.length + unchecked.length === 0 ? ['All of them are whole.'] : []),
    ...listed('Damaged:', damaged.map(damageLine)),
    ...listed(UNCHECKED, unchecked.map(uncheckedLine)),
    ...listed(
      'Files that the index does not know. They are kept; if media is missing, "flightcase rebuild-index" may bring it back:',
      nameless.map(({ path, sizeBytes }) => `${path}  ${bytesText(sizeBytes)}`)
    ),
    ''
  ].join('\n')
}
