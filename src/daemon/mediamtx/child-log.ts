import { createInterface } from 'node:readline'
import type { Readable } from 'node:stream'
import type { Logger } from 'pino'
import { z } from 'zod'
import { redact } from './errors.ts'

const LEVELS = ['DEB', 'INF', 'WAR', 'ERR'] as const
type Level = (typeof LEVELS)[number]

/** One line of the child. */
export interface ChildLine {
  level: Level
  message: string
}

const MAX_PATHS = 2000
const structuredSchema = z.object({ level: z.enum(LEVELS), message: z.string() })
const LENIENT = /^\{"timestamp":"[^"]*","level":"(DEB|INF|WAR|ERR)","message":"(.*)"\}$/
const PLAIN = /^(?:\d{4}\/\d\d\/\d\d \d\d:\d\d:\d\d )?(DEB|INF|WAR|ERR):? (.*)$/
const OF_PATH = /^\[path ([^\]]+)\] (.*)$/
/** Who of a path speaks: `[RTSP source] `, `[recorder] `. */
const SPEAKER = /^\[[^\]]*\] /
const SOURCE = /^\[path [^\]]+\] \[[^\]]* source\]/
/** What a path says when all is well again. */
const STARTS = /^(stream is available|\[recorder\] recording \d)/

/** What a MediaMTX of our own says, brought into our log, and what it last said was wrong. */
export class ChildLog {
  readonly #log: Logger
  readonly #errors = new Map<string, string>()
  #lastError: string | null = null
  constructor(log: Logger) {
    this.#log = log
  }

  /** Reads a stream of the child to its end; the child stands still when nobody does. `level` is that of lines that name none. */
  attach(stream: Readable, level: Level): void {
    createInterface({ input: stream }).on('line', (line) => {
      if (line !== '') this.#take(parseLine(line) ?? { level, message: line })
    })
  }

  /** What was last wrong with a path since it could last be watched; null: nothing. */
  lastErrorOf(pathName: string): string | null {
    return this.#errors.get(pathName) ?? null
  }

  /** The last error of the whole server since the last call, for the reason why a child ended; null: none. */
  takeLastError(): string | null {
    const error = this.#lastError
    this.#lastError = null
    return error
  }

  #take({ level, message: raw }: ChildLine): void {
    const message = redact(raw)
    const [, path, text] = OF_PATH.exec(message) ?? []
    const isNews = path === undefined || text === undefined || this.#noteOf(path, level, text)
    // What ends the whole server is said of no path.
    if (level === 'ERR' && path === undefined) this.#lastError = message
    this.#log[isNews ? ourLevel(level, message) : 'debug']({ mediamtx: level }, message)
  }

  /** Whether a line says something else of its path than the last one: a camera that is off is tried again every 5 s. */
  #noteOf(path: string, level: Level, text: string): boolean {
    if (STARTS.test(text)) this.#errors.delete(path)
    if (level !== 'ERR' && !(level === 'WAR' && text.startsWith('[recorder]'))) return true
    const error = text.replace(SPEAKER, '')
    const isNews = this.#errors.get(path) !== error
    this.#errors.delete(path)
    this.#errors.set(path, error)
    if (this.#errors.size > MAX_PATHS) this.#errors.delete(this.#errors.keys().next().value!)
    return isNews
  }
}

/** What MediaMTX says of every viewer is for those who search for something. */
function ourLevel(level: Level, message: string): 'debug' | 'warn' | 'error' {
  if (level === 'DEB' || level === 'INF') return 'debug'
  // Refusals of the API are told by whoever asked, and a camera that is away is no fault of the program.
  if (message.startsWith('[API]')) return 'debug'
  return level === 'ERR' && !SOURCE.test(message) ? 'error' : 'warn'
}

/** A line as MediaMTX writes it, structured or plain; null for anything else: a panic, for instance. Exported for its test. */
export function parseLine(line: string): ChildLine | null {
  const structured = structuredOf(line)
  if (structured) return structured
  const [, level, message] = LENIENT.exec(line) ?? PLAIN.exec(line) ?? []
  const known = LEVELS.find((each) => each === level)
  if (known === undefined || message === undefined) return null
  return { level: known, message: LENIENT.test(line) ? unquote(message) : message }
}

function structuredOf(line: string): ChildLine | null {
  try {
    return structuredSchema.safeParse(JSON.parse(line)).data ?? null
  } catch {
    return null // MediaMTX quotes as Go does, which is not always JSON
  }
}

const ESCAPES: Record<string, string> = { n: '\n', t: '\t', r: '\r', a: '\u0007', b: '\b', f: '\f', v: '\v' }

/** Undoes what Go's `strconv.Quote` does. */
function unquote(text: string): string {
  return text.replace(
    /\\(?:x([0-9a-f]{2})|u([0-9a-f]{4})|U([0-9a-f]{8})|(.))/g,
    (_, byte?: string, short?: string, long?: string, single?: string) =>
      single === undefined ? String.fromCodePoint(parseInt((byte ?? short ?? long)!, 16)) : (ESCAPES[single] ?? single)
  )
}
