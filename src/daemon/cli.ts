#!/usr/bin/env node
import { Command } from 'commander'
import { demoControllerCommand } from '../demo/demo-controller-command.ts'
import { serveCommand } from './commands/serve.ts'
import { tokenCommand } from './commands/token.ts'
import { AppError, StartupError } from './errors.ts'
import { version } from './package-info.ts'

/** Exit codes: 0 done, 1 could not be done (one line on standard error says why), 2 wrong usage. */
const program = new Command('flightcase')
  .description('The media base of a drone team')
  .version(version)
  .addCommand(serveCommand())
  .addCommand(tokenCommand())
  .addCommand(demoControllerCommand())
  .exitOverride()

try {
  await program.parseAsync()
} catch (error) {
  process.exitCode = exitCodeFor(error)
}

function exitCodeFor(error: unknown): number {
  if (error instanceof Error && 'exitCode' in error) return error.exitCode === 0 ? 0 : 2
  if (error instanceof StartupError) process.stderr.write(`${error.message}\n`)
  else if (error instanceof AppError) process.stderr.write(`${error.code} ${JSON.stringify(error.details ?? {})}\n`)
  else throw error
  return 1
}
