import { Command } from 'commander'
import { benchIngest } from './ingest.bench.ts'
import { benchLive } from './live.bench.ts'
import { benchMedia, type MediaOptions } from './media.bench.ts'
import { benchPilot } from './pilot.bench.ts'
import { type BenchResult, machineFacts, missedGoals, printResult } from './report.ts'
import { benchS3 } from './s3.bench.ts'
import { benchStartup } from './startup.bench.ts'

const benches: Record<string, (options: MediaOptions) => Promise<BenchResult>> = {
  pilot: benchPilot,
  ingest: benchIngest,
  startup: benchStartup,
  media: benchMedia,
  live: benchLive,
  s3: benchS3
}

const program = new Command('npm run bench --')
  .description('Measure the daemon against what this machine can do at all. Ratios are taken within one run.')
  .argument('<name>', Object.keys(benches).join(' | '))
  .option('--json', 'print one JSON object instead of tables')
  .option('--quick', 'a small data set: shows that the bench works, its figures mean little')
  .option('--only <part>', 'of media, live and s3: one part')
  .option('--large-gb <number>', 'of media: size of the large upload', Number)
  .parse()
const { json = false, quick = false, ...options } = program.opts<{ json?: boolean } & Partial<MediaOptions>>()
const bench = benches[program.args[0] ?? '']
if (!bench) program.error(`there is no bench ${program.args[0]}; choose from ${Object.keys(benches).join(', ')}`)
else {
  const result = await bench({ quick, ...options })
  if (json) process.stdout.write(`${JSON.stringify({ ...result, machine: machineFacts() })}\n`)
  else printResult(result)
  process.exitCode = missedGoals(result).length === 0 ? 0 : 2
}
