import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, expect } from 'vitest'
import { z } from 'zod'
import type { JsonObject } from '../../testing/fake-mediamtx/fields.ts'

/** A MediaMTX of one kind or the other, and what a test does to it from outside. */
export interface ContractTarget {
  urls: { api: string; playback: string; hls: string }
  /** Where its recordings are, as `%path/%s-%f`. */
  recordRoot: string
  /** Begins to send a picture with sound to a path. */
  publish(path: string): Promise<unknown> | unknown
  unpublish(path: string): Promise<unknown> | unknown
  restart(): Promise<void>
  /** Changes the paths in its configuration file while it runs. */
  rewriteConfigFile(paths: JsonObject): void
  close(): Promise<void>
}

/** Starts one with these settings; its API wants that header. */
export type StartTarget = (settings: JsonObject, authorization: string) => Promise<ContractTarget>

export interface SendOptions {
  method?: string
  headers?: Record<string, string>
  body?: string | null
}

/** What an answer is; `json` is null where the body is something else. */
export interface Reply {
  status: number
  headers: Headers
  text: string
  json: unknown
}

export const authorization = `Basic ${Buffer.from('contract:secret').toString('base64')}`
export const ok = { status: 200, json: { status: 'ok' } }
export const refusal = (error: unknown, status = 400) => ({ status, json: { status: 'error', error } })
export const startingWith = (beginning: string) => expect.stringMatching(new RegExp(`^${literally(beginning)}`))

/** A text as the source of a pattern that matches nothing else. */
export const literally = (text: string) => text.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&')

export async function send(url: string, options: SendOptions = {}): Promise<Reply> {
  const headers = { connection: 'close', ...options.headers } // a restart cuts connections that are kept
  const signal = AbortSignal.timeout(15_000)
  const response = await fetch(url, { redirect: 'manual', signal, ...options, headers })
  const text = await response.text()
  const isJson = response.headers.get('content-type')?.startsWith('application/json') ?? false
  return {
    status: response.status,
    headers: response.headers,
    text,
    json: isJson && text !== '' ? JSON.parse(text) : null
  }
}

/** Looks again until it is as expected; a stream of a real publisher takes seconds to come. */
export const eventually = (read: () => Promise<unknown>): ReturnType<typeof expect.poll> =>
  expect.poll(read, { timeout: 20_000, interval: 50 })

const pageSchema = z.object({ items: z.array(z.object({ name: z.string() })) })

/** One server for a group of cases. Each case has a path name of its own, and leaves no path behind. */
export class ContractDriver {
  /** The path this case is about. */
  name = ''
  #target: ContractTarget | null = null
  #cases = 0

  get target(): ContractTarget {
    if (!this.#target) throw new Error('the server is started before the cases')
    return this.#target
  }

  /** Registers what happens around the cases of the group this is called in. */
  use(start: () => Promise<ContractTarget>): void {
    beforeAll(async () => {
      this.#target = await start()
    })
    beforeEach(() => {
      this.#cases += 1
      this.name = `live/ct-${this.#cases.toString(16).padStart(8, '0')}`
    })
    afterEach(() => this.#removeAll())
    afterAll(() => this.#target?.close())
  }

  api(method: string, path: string, body?: object | string): Promise<Reply> {
    const content = typeof body === 'object' ? JSON.stringify(body) : body
    return send(`${this.target.urls.api}/v3/${path}`, { method, headers: { authorization }, body: content ?? null })
  }

  add = (settings: object | string = {}) => this.api('POST', `config/paths/add/${this.name}`, settings)
  patch = (settings: object) => this.api('PATCH', `config/paths/patch/${this.name}`, settings)
  replace = (settings: object) => this.api('POST', `config/paths/replace/${this.name}`, settings)
  remove = () => this.api('DELETE', `config/paths/delete/${this.name}`)
  getConfig = () => this.api('GET', `config/paths/get/${this.name}`)
  getPath = () => this.api('GET', `paths/get/${this.name}`)
  getRecordings = () => this.api('GET', `recordings/get/${this.name}`)
  playback = (path: string) => send(this.target.urls.playback + path)
  hls = (path: string, options?: SendOptions) => send(`${this.target.urls.hls}/${this.name}/${path}`, options)

  /** Adds the path and waits until it is there. */
  async addAndWait(settings: object = {}): Promise<void> {
    expect(await this.add(settings)).toMatchObject(ok)
    await eventually(this.getConfig).toMatchObject({ status: 200 })
    await eventually(this.getPath).toMatchObject({ status: 200 })
  }

  /** Adds the path, and waits until somebody sends to it. */
  async publishAndWait(settings: object = {}): Promise<void> {
    await this.addAndWait(settings)
    await this.target.publish(this.name)
    await this.isAvailable(true)
  }

  isAvailable(available: boolean): Promise<void> {
    return eventually(this.getPath).toMatchObject({ status: 200, json: { available } })
  }

  /** Where the recordings of the path are. */
  get folder(): string {
    return join(this.target.recordRoot, this.name)
  }

  /** Puts a file where the recordings of the path are. */
  place(fileName: string, content: Buffer): string {
    const file = join(this.folder, fileName)
    mkdirSync(dirname(file), { recursive: true })
    writeFileSync(file, content)
    return file
  }

  async #removeAll(): Promise<void> {
    await this.target.unpublish(this.name)
    const { items } = pageSchema.parse((await this.api('GET', 'config/paths/list')).json)
    for (const item of items) await this.api('DELETE', `config/paths/delete/${item.name}`)
    await eventually(() => this.api('GET', 'paths/list')).toMatchObject({ json: { itemCount: 0 } })
  }
}
