import { Command } from 'commander'
import { type BackupReport, backUpBase } from '../backup/back-up-base.ts'
import type { SettingName } from '../config/schema.ts'
import { bytesText, countText } from './bytes-text.ts'
import { addConfigOptions, configFromOptions } from './config-options.ts'
import { damageLine, UNCHECKED, uncheckedLine } from './damage-line.ts'
import { listed } from './listed.ts'
import { assertCatalogue } from './open-catalogue.ts'

const CONFIG_NAMES: SettingName[] = ['dataDir']

/** `backup <folder>`: copies a base, also while it runs. */
export function backupCommand(): Command {
  return addConfigOptions(
    new Command('backup').description('copy the base into a folder, again and again'),
    CONFIG_NAMES
  )
    .argument('<folder>', 'an empty folder, or one with an earlier backup of this base')
    .option('--without-media', 'leave out media and recordings')
    .option('--json', 'print JSON')
    .addHelpText(
      'after',
      '\nThe base may run. Media and recordings that are in the folder already are not copied again, and none is ever removed\n' +
        'from it. The folder holds the keys of the base: keep it as safe as the base itself. To restore, see docs/backup.md.\n' +
        'Exit code: 0 done, 1 it could not be done, or some media is damaged or cannot be opened, 2 wrong usage.'
    )
    .action(async (folder: string, options: { withoutMedia?: boolean; json?: boolean }) => {
      const config = configFromOptions({ ...options })
      assertCatalogue(config.dataDir)
      const report = await backUpBase(config, folder, { withMedia: options.withoutMedia !== true })
      process.stdout.write(options.json ? `${JSON.stringify(report)}\n` : textOf(report))
      if (lackingFiles(report) > 0) process.exitCode = 1
    })
}

/** Payload files that are not in the backup. */
function lackingFiles({ media }: BackupReport): number {
  return media === null ? 0 : media.damaged.length + media.unchecked.length
}

function textOf(report: BackupReport): string {
  const { folder, media, recordings } = report
  const lacking = lackingFiles(report)
  const isComplete = lacking === 0 ? 'is complete' : `is complete but for ${countText(lacking, 'file')}`
  const files = [media?.copied, recordings].reduce((sum, copied) => sum + (copied?.files ?? 0), 0)
  const bytes = [media?.copied, recordings].reduce((sum, copied) => sum + (copied?.bytes ?? 0), 0)
  return [
    `The backup in ${folder} ${isComplete}: ${countText(files, 'new file')}, ${bytesText(bytes)}.`,
    ...(media === null && recordings === null ? ['Media and recordings are not in it.'] : []),
    ...(media === null || media.left.files === 0
      ? []
      : [
          `It keeps ${countText(media.left.files, 'file')} (${bytesText(media.left.bytes)}) of media that was deleted since.`
        ]),
    ...listed('Damaged media, which later backups try again:', (media?.damaged ?? []).map(damageLine)),
    ...listed(UNCHECKED, (media?.unchecked ?? []).map(uncheckedLine)),
    ''
  ].join('\n')
}
