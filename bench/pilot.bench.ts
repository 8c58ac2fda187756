import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { launchDaemon } from '../src/demo/daemon-process.ts'
import { type LoadResult, measureLoad, postRequest } from './http-load.ts'
import { seededData, WORKSPACE } from './million.ts'
import { processorSeconds, untilQuiet } from './process-facts.ts'
import { type BenchResult, type Figure, median } from './report.ts'

const TOKEN = 'bench-controller-token'
const ROUNDS = 5
const CONNECTIONS = 32

/** `processorUs`: processor time of the server for one call, in microseconds. */
type Measured = LoadResult & { processorUs: number }
type Round = Record<'bare' | 'miss' | 'hit' | 'tiny' | 'tinyBusy', Measured>

/**
 * How fast controllers learn what is known: tiny-fingerprints with 1,000 entries and fast-upload, with a million files in
 * the base, beside a bare Express route under the same client in the same rounds.
 */
export async function benchPilot({ quick }: { quick: boolean }): Promise<BenchResult> {
  const data = await seededData(quick ? 20_000 : 1_000_000)
  const calls = quick ? 500 : 20_000
  const daemon = launchDaemon({ dataDir: data.dataDir, env: { FLIGHTCASE_PILOT_TOKEN: TOKEN } })
  const bare = spawn(process.execPath, [join(import.meta.dirname, 'bare-express.ts')], {
    stdio: ['ignore', 'pipe', 'inherit']
  })
  try {
    const { field } = await daemon.ready
    const bareUrl = String((await once(bare.stdout, 'data'))[0]).trim()
    const headers = { 'x-auth-token': TOKEN, 'x-device-id': 'BENCH-1' }
    const base = `/media/api/v1/workspaces/${WORKSPACE}`
    const ask = (fingerprint: string) => ({
      ext: {
        drone_model_key: '0-99-0',
        is_original: true,
        payload_model_key: '1-88-0',
        tinny_fingerprint: data.tiny(1)
      },
      fingerprint,
      name: 'DJI_20250614093000_0001_V.JPG',
      path: ''
    })
    // Requests are made beforehand: the client must not be what is measured.
    const spread = (index: number) => (index * 7919) % data.count
    const known = Array.from({ length: 1000 }, (_, index) =>
      postRequest(`${base}/fast-upload`, headers, ask(data.fingerprint(spread(index))))
    )
    const unknown = Array.from({ length: 1000 }, (_, index) =>
      postRequest(`${base}/fast-upload`, headers, ask(data.fingerprint(data.count + index)))
    )
    const plain = Array.from({ length: 1000 }, (_, index) =>
      postRequest('/fast-upload', headers, ask(data.fingerprint(data.count + index)))
    )
    const batches = Array.from({ length: 50 }, (_, batch) =>
      postRequest(`${base}/files/tiny-fingerprints`, headers, {
        tiny_fingerprints: Array.from({ length: 1000 }, (_, index) =>
          data.tiny(index % 400 === 7 ? spread(batch * 3 + index) : data.count + batch * 1000 + index)
        )
      })
    )
    const measure = async (url: string, requests: Buffer[], calls: number, connections: number): Promise<Measured> => {
      const pid = url === bareUrl ? (bare.pid ?? 0) : daemon.pid
      const from = processorSeconds(pid)
      const request = (index: number) => requests[index % requests.length] as Buffer
      const load = await measureLoad({ url, calls, connections, request })
      return { ...load, processorUs: ((processorSeconds(pid) - from) / calls) * 1e6 }
    }

    await measure(field.url, batches, 100, 1)
    const afterStart = await measure(field.url, batches, quick ? 50 : 400, 1)
    process.stderr.write('waiting for the passes after the start to end …\n')
    await untilQuiet(daemon.pid, 600_000)
    await measure(field.url, [...known, ...unknown], calls / 4, CONNECTIONS)
    await measure(bareUrl, plain, calls / 4, CONNECTIONS)
    const rounds: Round[] = []
    for (let round = 0; round < ROUNDS; round++)
      rounds.push({
        bare: await measure(bareUrl, plain, calls, CONNECTIONS),
        miss: await measure(field.url, unknown, calls, CONNECTIONS),
        hit: await measure(field.url, known, calls, CONNECTIONS),
        tiny: await measure(field.url, batches, quick ? 50 : 400, 1),
        tinyBusy: await measure(field.url, batches, quick ? 50 : 400, 4)
      })
    const of = (pick: (round: Round) => number) => median(rounds.map(pick))
    const rate = (name: string, kind: keyof Round): Figure[] => [
      { name: `${name}, requests`, value: of((round) => round[kind].requestsPerSecond), unit: '/s' },
      { name: `${name}, p50`, value: of((round) => round[kind].p50Ms), unit: 'ms' },
      { name: `${name}, p99`, value: of((round) => round[kind].p99Ms), unit: 'ms' },
      { name: `${name}, processor`, value: of((round) => round[kind].processorUs), unit: 'µs' }
    ]
    const ratio = (kind: keyof Round) => of((round) => round[kind].requestsPerSecond / round.bare.requestsPerSecond)
    const processor = (kind: keyof Round) => of((round) => round.bare.processorUs / round[kind].processorUs)
    return {
      bench: 'pilot',
      figures: [
        ...rate('tiny-fingerprints of 1,000, 1 controller', 'tiny').map((figure) =>
          figure.name.endsWith('p99') ? { ...figure, goal: { atMost: 20 } } : figure
        ),
        ...rate('tiny-fingerprints of 1,000, 4 controllers', 'tinyBusy'),
        { name: 'the same right after a start, 1 controller, p99', value: afterStart.p99Ms, unit: 'ms' },
        ...rate('fast-upload miss', 'miss'),
        ...rate('fast-upload hit', 'hit'),
        ...rate('bare Express route', 'bare'),
        { name: 'fast-upload miss / bare Express', value: ratio('miss'), unit: '×', goal: { atLeast: 0.7 } },
        { name: 'fast-upload hit / bare Express', value: ratio('hit'), unit: '×', goal: { atLeast: 0.7 } },
        { name: 'the same by processor time, miss', value: processor('miss'), unit: '×' },
        { name: 'the same by processor time, hit', value: processor('hit'), unit: '×' }
      ],
      notes: [
        `${data.count} known files; 3 of 1,000 tiny fingerprints known; fast-upload over ${CONNECTIONS} connections`,
        'measured once the passes after the start are over: payload files and catalogue are compared then, at an easy pace',
        `medians of ${ROUNDS} rounds; both servers are processes of their own, the client is the same`
      ]
    }
  } finally {
    bare.kill()
    await daemon.stop()
  }
}
