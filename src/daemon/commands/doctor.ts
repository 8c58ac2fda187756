import { Command } from 'commander'
import { type Check, checkStates, getDoctor } from '../../shared/api/doctor.ts'
import { createApiClient } from '../../shared/api-client.ts'
import { doctorTexts, sayCheck } from '../../shared/doctor-texts.ts'
import type { Config, SettingName } from '../config/schema.ts'
import { isDataDirInUse } from '../db/data-dir-lock.ts'
import { outsideChecks } from '../features/doctor/outside-checks.ts'
import { runChecks } from '../features/doctor/run-checks.ts'
import { urlOf } from '../http/listener.ts'
import { bytesText } from './bytes-text.ts'
import { addConfigOptions, configFromOptions } from './config-options.ts'

const CONFIG_NAMES: SettingName[] = ['dataDir', 'field', 'admin', 's3', 'mqtt', 'logLevel']
const ANSWER_MS = 20_000

interface Report {
  dataDir: string
  /** Null: this user cannot look. */
  isRunning: boolean | null
  /** Whether the running base was asked; else all was seen from outside. */
  isAsked: boolean
  checks: Check[]
}

/** `doctor`: looks at what a base stands on, whether or not it runs. Exit code 1 when there is a problem. */
export function doctorCommand(): Command {
  return addConfigOptions(new Command('doctor').description('look what is wrong, and say what helps'), CONFIG_NAMES)
    .option('--json', 'print JSON')
    .addHelpText(
      'after',
      '\nA base that runs is asked itself where FLIGHTCASE_ADMIN_TOKEN opens it; otherwise only what can be seen from\n' +
        'outside is looked at. Nothing of the base is changed: SQLite may put two files of its own (-wal, -shm) beside the\n' +
        'catalogue, and a small object is put into a store and deleted again to try it out.\n' +
        'Exit code: 0 no problem (there may be warnings), 1 problems, 2 wrong usage.'
    )
    .action(async (options: { json?: boolean }) => {
      const report = await look(configFromOptions({ ...options }))
      process.stdout.write(options.json ? `${JSON.stringify(report)}\n` : textOf(report))
      if (countOf(report, 'problem') > 0) process.exitCode = 1
    })
}

async function look(config: Config): Promise<Report> {
  const { dataDir } = config
  const isRunning = isDataDirInUse(dataDir)
  const told = isRunning ? await askBase(config) : null
  const checks = told ?? (await runChecks(outsideChecks(config, isRunning)))
  return { dataDir, isRunning, isAsked: told !== null, checks }
}

/** What the running base finds itself; null where it does not let us in, or listens elsewhere. */
async function askBase({ admin, adminToken }: Config): Promise<Check[] | null> {
  if (adminToken === null) return null
  const api = createApiClient({
    baseUrl: urlOf(admin),
    headers: () => ({ authorization: `Bearer ${adminToken}` }),
    transport: (url, init) => fetch(url, { ...(init as RequestInit), signal: AbortSignal.timeout(ANSWER_MS) })
  })
  return api.call(getDoctor, {}).then(
    ({ checks }) => checks,
    () => null
  )
}

function textOf(report: Report): string {
  const byState = checkStates.flatMap((state) => report.checks.filter((check) => check.state === state))
  return [headOf(report), '', ...byState.flatMap(linesOf), '', footOf(report), ''].join('\n')
}

function headOf({ dataDir, isRunning, isAsked }: Report): string {
  if (isAsked) return `The base in ${dataDir} is running, and says:`
  if (isRunning === null)
    return (
      `This user cannot look into ${dataDir}, so nobody can tell here whether its base is running. Call this command\n` +
      'as the user who runs Flightcase. Seen from outside:'
    )
  if (!isRunning) return `The base in ${dataDir} is not running. Seen from outside:`
  return (
    `The base in ${dataDir} is running. Seen from outside; its screen shows more (Doctor), and so does this command\n` +
    'where FLIGHTCASE_ADMIN_TOKEN is set as for the base.'
  )
}

const INDENT = ' '.repeat(9)

function linesOf(check: Check): string[] {
  const { name, what, help } = sayCheck(doctorTexts, check, factText)
  const reported = String(check.facts['reported'] ?? '').split('\n')
  return [
    `${check.state.padEnd(INDENT.length)}${name}: ${what}`,
    ...reported.flatMap((line) => (line === '' ? [] : [`${INDENT}Reported: ${line}`])),
    ...(help === null ? [] : [`${INDENT}${help}`]),
    ...(help === null ? [] : check.copy.map((text) => `${INDENT}  ${text}`))
  ]
}

function footOf(report: Report): string {
  const [problems, warnings] = [countOf(report, 'problem'), countOf(report, 'warning')]
  return problems + warnings === 0 ? 'All is well.' : `Problems: ${problems}, warnings: ${warnings}.`
}

function countOf({ checks }: Report, state: Check['state']): number {
  return checks.filter((check) => check.state === state).length
}

/** A fact as a person writes it, by the unit in its name. */
function factText(name: string, value: string | number): string {
  if (name.endsWith('At')) return new Date(value).toLocaleString('en', { dateStyle: 'medium', timeStyle: 'medium' })
  if (typeof value === 'string') return value
  if (name.endsWith('Bytes')) return bytesText(value)
  if (!name.endsWith('Ms')) return String(value)
  return value < 120_000 ? `${Math.ceil(value / 1000)} s` : `${Math.round(value / 60_000)} minutes`
}
