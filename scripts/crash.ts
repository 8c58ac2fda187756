import { randomInt } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Command, InvalidArgumentError } from 'commander'
import { CrashSite } from '../test/crash/crash-site.ts'

// Kills the daemon (kill -9) at random instants while controllers upload, and checks after each restart that nothing
// which was acknowledged is lost and nothing half-written shows; see --help. The last line is `N passed, M failed`.

const RUNS_PER_SITE = 10

const flags = new Command('npm run crash --')
  .description('Kill the daemon at random instants during uploads and check what is there afterwards')
  .option('--runs <n>', 'how many kills', wholeNumber, 20)
  .option('--seed <n>', 'repeat the random choices of an earlier call', wholeNumber, randomInt(1_000_000))
  .option('--keep', 'leave the data of failed runs for inspection')
  .parse()
  .opts<{ runs: number; seed: number; keep?: boolean }>()

let passed = 0
let failed = 0
process.stdout.write(`seed ${flags.seed}\n`)
for (let first = 0; first < flags.runs; first += RUNS_PER_SITE) {
  const directory = await mkdtemp(join(tmpdir(), 'flightcase-crash-'))
  const site = await CrashSite.prepare(directory)
  let broken = false
  try {
    for (let run = first; run < Math.min(first + RUNS_PER_SITE, flags.runs); run++) {
      const { story, problems } = await site.run(flags.seed, run)
      process.stdout.write(`run ${run + 1}: ${story}${problems.length === 0 ? '' : ', FAILED'}\n`)
      for (const problem of problems) process.stdout.write(`  ${problem}\n`)
      if (problems.length === 0) passed++
      else {
        failed++
        broken = true
        break // what follows on broken data says nothing new
      }
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
