#!/usr/bin/env node
import { inspect } from 'node:util'
import { Command, CommanderError } from 'commander'
import { demoControllerCommand } from '../demo/demo-controller-command.ts'
import { backupCommand } from './commands/backup.ts'
import { doctorCommand } from './commands/doctor.ts'
import { rebuildIndexCommand } from './commands/rebuild-index.ts'
import { serveCommand } from './commands/serve.ts'
import { tokenCommand } from './commands/token.ts'
import { verifyCommand } from './commands/verify.ts'
import { messageOf, StartupError } from './errors.ts'
import { version } from './package-info.ts'

/** Exit codes: 0 done, 1 could not be done (one sentence on standard error says why), 2 wrong usage. */
const program = new Command('flightcase')
  .description('The media base of a drone team')
  .version(version)
  .addCommand(serveCommand())
  .addCommand(doctorCommand())
  .addCommand(tokenCommand())
  .addCommand(backupCommand())
  .addCommand(verifyCommand())
  .addCommand(rebuildIndexCommand())
  .addCommand(demoControllerCommand())
overrideExit(program)

try {
  await program.parseAsync()
} catch (error) {
  process.exitCode = exitCodeFor(error)
}

/** Commands made apart from the program do not inherit this. */
function overrideExit(command: Command): void {
  command.exitOverride()
  for (const sub of command.commands) overrideExit(sub)
}

function exitCodeFor(error: unknown): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2
  if (isDebugging()) process.stderr.write(`${inspect(error)}\n`)
  else if (error instanceof StartupError) process.stderr.write(`${error.message}\n`)
  else process.stderr.write(`Flightcase failed: ${messageOf(error)}. FLIGHTCASE_LOG_LEVEL=debug shows where.\n`)
  return 1
}

/** Asked without the configuration, which may be what is wrong. */
function isDebugging(): boolean {
  return process.env['FLIGHTCASE_LOG_LEVEL'] === 'debug' || /--log-level[ =]debug/.test(process.argv.join(' '))
}
