import { Command } from 'commander'
import type { SettingName } from '../config/schema.ts'
import { lockDataDir } from '../db/data-dir-lock.ts'
import { type RebuildReport, rebuildIndex } from '../embedded-store/engine/recovery/rebuild-index.ts'
import { bytesText, countText } from './bytes-text.ts'
import { addConfigOptions, configFromOptions } from './config-options.ts'
import { listed } from './listed.ts'
import { storeIn } from './store-folder.ts'

const CONFIG_NAMES: SettingName[] = ['dataDir']

/** `rebuild-index`: makes a lost or damaged index of the embedded store anew. Exit code 1 when not everything came back. */
export function rebuildIndexCommand(): Command {
  return addConfigOptions(
    new Command('rebuild-index').description('make a lost or damaged index of the object store anew'),
    CONFIG_NAMES
  )
    .option('--json', 'print JSON, with everything that has no name')
    .option('--set-aside', 'move files that have no name to store/nameless, so that the base no longer tells of them')
    .addHelpText(
      'after',
      '\nThe index is made from its newest whole copy and from the logs since, which the base keeps in store/recovery. The\n' +
        'base must not run. No file of media is changed or removed, and the index that was there is kept beside the new one.\n' +
        'Files that have no name are kept where they are until --set-aside is given.\n' +
        'Exit code: 0 everything is there, 1 something is missing or it could not be done, 2 wrong usage.'
    )
    .action(async (options: { json?: boolean; setAside?: boolean }) => {
      const config = configFromOptions({ ...options })
      const directory = storeIn(config)
      const unlock = lockDataDir(config.dataDir)
      try {
        const setsNamelessAside = options.setAside ?? false
        const report = await rebuildIndex(directory, { setsNamelessAside })
        process.stdout.write(options.json ? `${JSON.stringify(report)}\n` : textOf(report, setsNamelessAside))
        if (report.damaged.length > 0 || !report.isGapless || report.unreadableLines > 0) process.exitCode = 1
      } finally {
        unlock()
      }
    })
}

function textOf(report: RebuildReport, isSetAside: boolean): string {
  const { backup, logs, objects, objectBytes, setAside } = report
  const source = [...(backup === null ? [] : [`the copy ${backup}`]), countText(logs, 'log')].join(' and ')
  return [
    `The index was made anew from ${source}: ${countText(objects, 'object')}, ${bytesText(objectBytes)}.`,
    ...(setAside === null ? [] : [`The one that was there is now ${setAside}.`]),
    ...(report.isGapless
      ? []
      : ['For some of the time there is neither a copy nor a log: objects of then may be missing, or be back.']),
    ...(report.unreadableLines === 0
      ? []
      : [`Of the logs, ${countText(report.unreadableLines, 'line')} could not be read.`]),
    ...listed('Logs that could not be read, or not to their end:', report.unreadableLogs),
    ...listed(
      'Objects whose files are missing or have the wrong size:',
      report.damaged.map(({ bucket, key }) => `${bucket}/${key}`)
    ),
    ...listed(
      isSetAside
        ? 'Files that have no name any more. They were moved, and nothing needs them where they are now:'
        : 'Files that have no name any more. They are kept, and Doctor tells of them. If you do not miss them, add --set-aside:',
      report.nameless.map(
        ({ path, sizeBytes, changedAtMs }) => `${path}  ${bytesText(sizeBytes)}  ${new Date(changedAtMs).toISOString()}`
      )
    ),
    ''
  ].join('\n')
}
