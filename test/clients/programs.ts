import { type ExecFileException, execFile, spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import { delimiter, join } from 'node:path'
import { z } from 'zod'
import type { Outcome, Tell } from './client.ts'

const TIMEOUT_MS = 20 * 60_000
const MAX_OUTPUT_BYTES = 64 * 1024 * 1024
/** What a client needs of the caller's environment; settings for S3 of the caller's own stay out. */
const KEPT = [
  'PATH',
  'LANG',
  'TMPDIR',
  'SystemRoot',
  'GOPATH',
  'GOCACHE',
  'GOMODCACHE',
  'GOFLAGS',
  'GOMAXPROCS',
  'JAVA_HOME'
]

export interface ProgramOptions {
  /** Home of the program, where it may leave what it likes. */
  home: string
  env?: Record<string, string>
  /** Standard input. */
  input?: Buffer
}

/** A failed program; the message has the end of what it said. */
export class ProgramError extends Error {
  readonly output: string
  constructor(command: string, output: string) {
    super(`${command}: ${output.trim().slice(-1500)}`)
    this.name = 'ProgramError'
    this.output = output
  }
}

/** Runs a program to its end and gives its standard output. @throws ProgramError */
export function runProgram(program: string, args: readonly string[], options: ProgramOptions): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = execFile(
      program,
      args,
      { env: environment(options), encoding: 'utf8', timeout: TIMEOUT_MS, maxBuffer: MAX_OUTPUT_BYTES },
      (error: ExecFileException | null, stdout, stderr) => {
        if (error) reject(new ProgramError(args.find((arg) => !arg.startsWith('-')) ?? program, `${stdout}${stderr}`))
        else resolve(stdout)
      }
    )
    child.stdin?.on('error', () => {}) // a program that ends early has said why
    child.stdin?.end(options.input)
  })
}

const driverLine = z.object({ check: z.string(), error: z.string().nullable() })

/** Runs a program that reports each check as one line of JSON, `{"check": …, "error": null or text}`. */
export function runDriver(
  program: string,
  args: readonly string[],
  options: ProgramOptions,
  tell: Tell
): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, {
      env: environment(options),
      timeout: TIMEOUT_MS,
      stdio: ['ignore', 'pipe', 'pipe']
    })
    let unread = ''
    let said = ''
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      const lines = (unread + text).split('\n')
      unread = lines.pop() ?? ''
      for (const line of lines) {
        const { check, error } = driverLine.parse(JSON.parse(line))
        tell(check, error === null ? { result: 'passed' } : ({ result: 'failed', detail: error } satisfies Outcome))
      }
    })
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      said += text
    })
    child.once('error', reject)
    child.once('close', (code) => {
      if (code !== 0) tell('runs to its end', { result: 'failed', detail: said.trim().slice(-1500) })
      resolve()
    })
  })
}

/** What is named by the environment variable (several, like PATH), or else the program of that name. */
export function candidates(variable: string, program?: string): string[] {
  const named = (process.env[variable] ?? '').split(delimiter).filter((path) => path !== '')
  return named.length === 0 && program !== undefined ? [program] : named
}

/** A package in the folders of FLIGHTCASE_CLIENT_NODE_MODULES; `T` is what the caller uses of it, or of one file in it. */
export function findPackage<T>(name: string, file = ''): { version: string; exported: T }[] {
  return candidates('FLIGHTCASE_CLIENT_NODE_MODULES').flatMap((folder) => {
    const directory = join(folder, name)
    if (!existsSync(directory)) return []
    const load = createRequire(join(directory, 'package.json'))
    const { version } = load('./package.json') as { version: string }
    return [{ version, exported: load(join(directory, file)) as T }]
  })
}

/** The first group of the pattern in what the program prints; null when it cannot be started. */
export async function versionOf(program: string, args: readonly string[], pattern: RegExp): Promise<string | null> {
  return new Promise((resolve) => {
    execFile(program, args, { encoding: 'utf8', timeout: 60_000 }, (error, stdout, stderr) => {
      resolve(error ? null : (pattern.exec(`${stdout}${stderr}`)?.[1] ?? 'unknown version'))
    })
  })
}

function environment({ home, env }: ProgramOptions): Record<string, string> {
  const kept = KEPT.flatMap((name) => (process.env[name] === undefined ? [] : [[name, process.env[name]] as const]))
  return { LANG: 'C.UTF-8', ...Object.fromEntries(kept), HOME: home, ...env }
}
