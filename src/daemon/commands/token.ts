import { userInfo } from 'node:os'
import { Command, InvalidArgumentError, Option } from 'commander'
import { roles } from '../../shared/api/system.ts'
import { workspaceIdSchema } from '../../shared/api/workspaces.ts'
import { actingAs } from '../audit/acting.ts'
import { AuditLog } from '../audit/audit-log.ts'
import { systemClock } from '../clock.ts'
import type { SettingName } from '../config/schema.ts'
import { AppError, StartupError } from '../errors.ts'
import { AccessService, type Token, type TokenRole } from '../features/access/access.service.ts'
import { createLogger } from '../logger.ts'
import { addConfigOptions, configFromOptions } from './config-options.ts'
import { openCatalogue } from './open-catalogue.ts'

const CONFIG_NAMES: SettingName[] = ['dataDir']

/** `token create | list | revoke`: works on the data folder, also while the daemon runs, which notices at once. */
export function tokenCommand(): Command {
  const command = new Command('token').description('tokens for people, programs and controllers')
  addConfigOptions(command.command('create').description('issue a token; its secret is shown this once'), CONFIG_NAMES)
    .requiredOption('--name <name>', 'what the token is for (required)')
    .addOption(new Option('--role <role>', 'what it may do').choices([...roles, 'controller']).default('operator'))
    .addOption(new Option('--workspace <ids...>', 'limit it to these workspaces').argParser(workspaces))
    .option('--json', 'print JSON')
    .action((options: { name: string; role: TokenRole; workspace?: string[]; json?: boolean }) =>
      withAccess(options, (access) => {
        const token = access.createToken({ name: options.name, role: options.role, workspaceIds: options.workspace })
        print(options, token, `${token.secret}\n`)
      })
    )
  addConfigOptions(command.command('list').description('show tokens; secrets are not kept'), CONFIG_NAMES)
    .option('--json', 'print JSON')
    .action((options: { json?: boolean }) =>
      withAccess(options, (access) => {
        const tokens = access.listTokens()
        print(options, tokens, tokens.map(lineOf).join(''))
      })
    )
  addConfigOptions(command.command('revoke').description('end a token at once'), CONFIG_NAMES)
    .argument('<id>', 'the id that list shows')
    .option('--json', 'print JSON')
    .action((id: string, options: { json?: boolean }) =>
      withAccess(options, (access) => {
        const token = revoke(access, id)
        print(options, token, lineOf(token))
      })
    )
  return command
}

function withAccess(options: object, work: (access: AccessService) => void): void {
  const config = configFromOptions({ ...options })
  const db = openCatalogue(config.dataDir)
  const access = new AccessService({
    db,
    audit: new AuditLog({ db, clock: systemClock }),
    clock: systemClock,
    log: createLogger(config.logLevel),
    adminToken: config.adminToken,
    pilotToken: config.pilot.staticToken
  })
  const user = userName()
  try {
    actingAs({ id: `command:${user}`, name: user, sessionId: null, remoteAddress: null }, () => work(access))
  } finally {
    db.close()
  }
}

/** Collects the values of an option that takes several. */
function workspaces(value: string, before: string[] = []): string[] {
  if (!workspaceIdSchema.safeParse(value).success) throw new InvalidArgumentError('It is no workspace id.')
  return [...before, value]
}

/** Who types this; in a container the system may not know. */
function userName(): string {
  try {
    return userInfo().username
  } catch {
    return 'unknown'
  }
}

function revoke(access: AccessService, id: string): Token {
  try {
    return access.revokeToken(id)
  } catch (cause) {
    if (!(cause instanceof AppError && cause.code === 'token_not_found')) throw cause
    throw new StartupError('token_not_found', `There is no token ${id}; "token list" shows the ids.`, { cause })
  }
}

function print(options: { json?: boolean }, value: unknown, text: string): void {
  process.stdout.write(options.json ? `${JSON.stringify(value)}\n` : text)
}

function lineOf(token: Token): string {
  const scope = token.workspaceIds === null ? '' : `  in ${token.workspaceIds.join(', ')}`
  const end = token.revokedAt === null ? '' : `  revoked ${token.revokedAt}`
  return `${token.id}  ${token.role.padEnd(10)}  ${token.name}${scope}${end}\n`
}
