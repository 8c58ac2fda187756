import { randomInt } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Command, InvalidArgumentError } from 'commander'
import { CrashSite } from '../test/crash/crash-site.ts'
import { StoreCrashSite } from '../test/crash/store-crash-site.ts'

// Kills the daemon, or the embedded object store by itself (kill -9), at random instants while it is written to, and checks
// after each restart that nothing which was acknowledged is lost and nothing half-written shows; see --help. The last line
// is `N passed, M failed`.

/** The catalogue of a daemon grows with each run, and with it what has to be checked; a store stays as it is. */
const RUNS_PER_DAEMON = 10

const flags = new Command('npm run crash --')
  .description('Kill the daemon at random instants during uploads and check what is there afterwards')
  .option('--store', 'kill the embedded object store instead, under all kinds of writes')
  .option('--runs <n>', 'how many kills', wholeNumber, 20)
  .option('--seed <n>', 'repeat the random choices of an earlier call', wholeNumber, randomInt(1_000_000))
  .option('--keep', 'leave the data of failed runs for inspection')
  .parse()
  .opts<{ store?: boolean; runs: number; seed: number; keep?: boolean }>()

let passed = 0
let failed = 0
process.stdout.write(`seed ${flags.seed}\n`)
let run = 0
while (run < flags.runs) {
  const directory = await mkdtemp(join(tmpdir(), 'flightcase-crash-'))
  const site = flags.store ? new StoreCrashSite(directory) : await CrashSite.prepare(directory)
  const last = flags.store ? flags.runs : Math.min(run + RUNS_PER_DAEMON, flags.runs)
  let broken = false
  try {
    // What follows on broken data says nothing new.
    for (; run < last && !broken; run++) {
      const { story, problems } = await site.run(flags.seed, run)
      process.stdout.write(`run ${run + 1}: ${story}${problems.length === 0 ? '' : `, FAILED (seed ${flags.seed})`}\n`)
      for (const problem of problems) process.stdout.write(`  ${problem}\n`)
      broken = problems.length > 0
      if (broken) failed++
      else passed++
    }
  } finally {
    await site.close()
    if (broken && flags.keep) process.stdout.write(`  the data is in ${directory}\n`)
    else await rm(directory, { recursive: true, force: true, maxRetries: 5 })
  }
}
process.stdout.write(`${passed} passed, ${failed} failed\n`)
process.exitCode = failed === 0 && passed > 0 ? 0 : 1

function wholeNumber(text: string): number {
  if (!/^\d{1,9}$/.test(text)) throw new InvalidArgumentError('expected a whole number')
  return Number(text)
}
