import { once } from 'node:events'
import { Command } from 'commander'
import { createDaemon } from '../daemon.ts'
import { reachableUrls } from '../features/system/system.service.ts'
import { addConfigOptions, configFromOptions } from './config-options.ts'

/** `serve`: runs the daemon until SIGINT or SIGTERM; a second signal ends it at once. */
export function serveCommand(): Command {
  return addConfigOptions(new Command('serve').description('run the base without a window'))
    .option('--ready-json', 'print one JSON line with addresses and token once everything listens')
    .action(async (options: { readyJson?: boolean } & Record<string, unknown>) => {
      const config = configFromOptions(options)
      const daemon = await createDaemon(config)
      const ready = await daemon.start()
      if (options.readyJson) process.stdout.write(`${JSON.stringify(ready)}\n`)
      else {
        process.stdout.write(
          `Flightcase is ready.\n  Screen:      ${ready.admin.url}/#token=${encodeURIComponent(ready.admin.token)}\n` +
            `  Controllers: ${controllerAddresses(config.field.host, ready.field.url)}\n  Stop with Ctrl-C.\n`
        )
      }
      await Promise.race([once(process, 'SIGINT'), once(process, 'SIGTERM')])
      for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1))
      await daemon.stop()
      process.exit(0)
    })
}

/**
 * What to enter on a controller for a listener on `host`, one address a line. `localUrl` is the one for this computer; it is
 * told only where there is no other, with the reason.
 */
export function controllerAddresses(host: string, localUrl: string): string {
  if (/^(localhost$|127\.|::1$)/.test(host))
    return `${localUrl} (this computer only: --field, or its setting, names ${host})`
  const urls = reachableUrls({ host, port: Number(new URL(localUrl).port || 80) })
  if (urls.length === 0) return `${localUrl} (this computer only: it has no network now)`
  return urls.join(`\n${' '.repeat('  Controllers: '.length)}`)
}
