import { spawnSync } from 'node:child_process'

/** A command of the project: an npm script name with its arguments. */
export type Step = [script: string, ...args: string[]]

/** Runs npm scripts one after another, with their output; stops at the first failure and exits with its code. */
export function runSteps(steps: readonly Step[]): void {
  for (const [script, ...args] of steps) {
    console.error(`\n▸ npm run ${[script, ...args].join(' ')}`)
    const npm = process.platform === 'win32' ? 'npm.cmd' : 'npm'
    const { status, error } = spawnSync(npm, ['run', '--silent', script, ...(args.length > 0 ? ['--', ...args] : [])], {
      stdio: 'inherit',
      shell: process.platform === 'win32'
    })
    if (error) throw error
    if (status !== 0) process.exit(status ?? 1)
  }
}
