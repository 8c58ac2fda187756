import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as pause } from 'node:timers/promises'
import { S3Client } from '@aws-sdk/client-s3'
import { type SeededRandom, seededRandom } from '../../src/demo/seeded-random.ts'
import { readySchema, type StoreChildReady, StoreLoad } from './store-load.ts'
import { verifyRebuilt } from './verify-rebuilt.ts'
import { verifyStore } from './verify-store.ts'

const STEPS = ['staged', 'synced', 'renamed', 'committed'] as const
/** Requests and answers of all clients; a kill follows a random one of them, or comes a bit later. */
const EVENTS_PER_RUN = 90
const JITTER_MS = 15
const PATIENCE_MS = 120_000
const FIRST_START_MS = 600

type Child = { process: ChildProcess; ready: Promise<StoreChildReady>; ended: Promise<void> }

/**
 * One directory with an embedded store that is killed again and again, and the clients that write to it. What they were
 * answered is kept in a {@link StoreLoad} and held against what is found after each start.
 */
export class StoreCrashSite {
  readonly #directory: string
  readonly #epochMs = Date.now()
  readonly #load = new StoreLoad()
  #child: Child | undefined
  #s3: S3Client | undefined
  #startMs = FIRST_START_MS

  constructor(directory: string) {
    this.#directory = directory
  }

  /** Writes until the store is killed, starts it again and checks. Gives a line about it and what was wrong. */
  async run(seed: number, run: number): Promise<{ story: string; problems: string[] }> {
    const random = seededRandom(seed, `store run ${run}`)
    const story: string[] = []
    try {
      if (!this.#child) await this.#start()
      story.push(await this.#killDuringLoad(random, seed, run))
      const rebuilt = random.next() < 0.1
      const unlike = rebuilt ? await verifyRebuilt(join(this.#directory, 'store'), this.#load) : []
      if (rebuilt) story.push('the index of a copy made anew')
      while (random.next() < 0.25) story.push(await this.#killDuringStart(random))
      const found = await this.#start()
      const load = this.#load
      const problems = [...unlike, ...load.problems.splice(0), ...found, ...(await verifyStore(this.#s3!, load))]
      return { story: story.join(', '), problems }
    } catch (error) {
      const problem = error instanceof Error ? (error.stack ?? error.message) : String(error)
      return { story: story.join(', '), problems: [problem] }
    }
  }

  async close(): Promise<void> {
    // The run has told already if the store ended by itself.
    await this.#kill().catch(() => {})
  }

  async #killDuringLoad(random: SeededRandom, seed: number, run: number): Promise<string> {
    const load = this.#load
    const before = load.acknowledged
    const { process: child, ended } = this.#child!
    const at = random.integer(0, EVENTS_PER_RUN)
    const jitterMs = random.integer(0, JITTER_MS)
    // One run in three ends at a step of a write; some of them are too short for a moment of the clients' to hit.
    const order = random.next() < 0.33 ? { step: STEPS[random.integer(0, 3)], nth: random.integer(1, 25) } : null
    if (order) child.stdin?.write(`${JSON.stringify(order)}\n`)
    let events = 0
    const moment = Promise.withResolvers<void>()
    const working = load.run(this.#s3!, seededRandom(seed, `store load ${run}`), () => {
      if (events++ === at) moment.resolve()
    })
    const chosen = order ? ended : moment.promise.then(() => pause(jitterMs))
    await Promise.race([ended, working, chosen, patience()])
    await this.#kill()
    await working
    const when = order ? `at the ${order.nth}. write that is ${order.step}` : `${jitterMs} ms after event ${at}`
    return `killed ${when}, ${load.acknowledged - before} requests acknowledged`
  }

  async #killDuringStart(random: SeededRandom): Promise<string> {
    this.#launch()
    const afterMs = random.integer(0, this.#startMs)
    await Promise.race([pause(afterMs), this.#child!.ended])
    await this.#kill()
    return `killed ${afterMs} ms after the start`
  }

  /** Starts the store; gives what the audit of index and files found. */
  async #start(): Promise<string[]> {
    const startedAtMs = performance.now()
    this.#launch()
    const { port, accessKeyId, secretAccessKey, problems } = await this.#child!.ready
    // Kills during a start are spread over what a start takes on this machine.
    this.#startMs = Math.round((this.#startMs + performance.now() - startedAtMs) / 2)
    this.#s3 = new S3Client({
      endpoint: `http://127.0.0.1:${port}`,
      region: 'us-east-1',
      forcePathStyle: true,
      credentials: { accessKeyId, secretAccessKey },
      maxAttempts: 1
    })
    return problems
  }

  #launch(): void {
    const plan = { directory: join(this.#directory, 'store'), epochMs: this.#epochMs }
    const child = spawn(process.execPath, [join(import.meta.dirname, 'store-child.ts'), JSON.stringify(plan)], {
      env: { ...process.env, NODE_COMPILE_CACHE: join(this.#directory, 'compiled') },
      stdio: ['pipe', 'pipe', 'pipe']
    })
    // Whoever writes to it learns of its death otherwise.
    child.stdin.on('error', () => {})
    const said: string[] = []
    createInterface({ input: child.stderr }).on('line', (line) => said.push(line))
    const closed = once(child, 'close').then(([code, signal]) => String(signal ?? code))
    const ended = closed.then((how) => {
      if (how !== 'SIGKILL') throw new Error(`the store ended with ${how}:\n${said.join('\n')}`)
    })
    const line = once(createInterface({ input: child.stdout }), 'line')
    const ready = Promise.race([
      line.then(([text]) => readySchema.parse(JSON.parse(String(text)))),
      ended.then(() => Promise.reject(new Error('the store was killed before it was ready'))),
      patience().then(() => Promise.reject(new Error('the store was not ready within two minutes')))
    ])
    // Not everybody waits for both.
    for (const promise of [ended, ready]) promise.catch(() => {})
    this.#child = { process: child, ready, ended }
  }

  /** Kills the store if it runs. Raises what it said last if it had ended otherwise. */
  async #kill(): Promise<void> {
    const child = this.#child
    this.#child = undefined
    this.#s3?.destroy()
    this.#s3 = undefined
    if (!child) return
    child.process.kill('SIGKILL')
    await child.ended
  }
}

/** Ends what would hang otherwise. */
const patience = () => pause(PATIENCE_MS, undefined, { ref: false })
