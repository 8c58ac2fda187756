import { once } from 'node:events'
import { Command } from 'commander'
import { createDaemon } from '../daemon.ts'
import { addConfigOptions, configFromOptions } from './config-options.ts'

/** `serve`: runs the daemon until SIGINT or SIGTERM; a second signal ends it at once. */
export function serveCommand(): Command {
  return addConfigOptions(new Command('serve').description('run the base without a window'))
    .option('--ready-json', 'print one JSON line with addresses and token once everything listens')
    .action(async (options: { readyJson?: boolean } & Record<string, unknown>) => {
      const daemon = await createDaemon(configFromOptions(options))
      const ready = await daemon.start()
      if (options.readyJson) process.stdout.write(`${JSON.stringify(ready)}\n`)
      else {
        process.stdout.write(
          `Flightcase is ready.\n  Screen:      ${ready.admin.url}/#token=${ready.admin.token}\n` +
            `  Controllers: ${ready.field.url}\n  Stop with Ctrl-C.\n`
        )
      }
      await Promise.race([once(process, 'SIGINT'), once(process, 'SIGTERM')])
      for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1))
      await daemon.stop()
      process.exit(0)
    })
}
