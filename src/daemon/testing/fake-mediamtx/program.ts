import { readFileSync, watch } from 'node:fs'
import { basename, dirname, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { messageOf } from '../../errors.ts'
import { asObject, isObject, parseJson } from './decode.ts'
import { FakeMediaMtx, fakeVersion } from './fake-mediamtx.ts'

// The fake as a program, started as MediaMTX is: `node program.ts <configuration file in JSON>`, or `--version`.

const refuse = (error: unknown) => {
  process.stdout.write(`ERR: ${messageOf(error)}\n`)
  process.exit(1)
}

function log(level: 'INF' | 'ERR', message: string): void {
  process.stdout.write(`${JSON.stringify({ timestamp: new Date().toISOString(), level, message })}\n`)
}

function readFile(file: string) {
  try {
    return asObject(parseJson(readFileSync(file, 'utf8')))
  } catch (error) {
    if (error instanceof Error && 'code' in error) throw new Error(`open ${file}: no such file or directory`)
    throw error
  }
}

async function run(file: string): Promise<void> {
  log('INF', `MediaMTX ${fakeVersion}, ${process.platform}, ${process.arch}`)
  const server = load(file)
  log('INF', `configuration loaded from ${resolve(file)}`)
  const end = async (code: number) => {
    log('INF', 'shutting down gracefully')
    await server.close()
    process.exit(code)
  }
  process.on('SIGINT', () => void end(0))
  process.on('SIGTERM', () => void end(0))
  try {
    await server.start()
  } catch (error) {
    log('ERR', String(error).replace(/^.*EADDRINUSE: (.*) (\S+)$/, 'listen tcp $2: bind: $1'))
    process.exit(1)
  }
  watch(dirname(resolve(file)), (_event, name) => {
    if (name !== basename(file)) return
    try {
      const { paths } = readFile(file)
      server.reloadFile(isObject(paths) ? paths : {})
    } catch (error) {
      log('ERR', messageOf(error))
      void end(0) // a file that became wrong ends the server, gracefully
    }
  })
}

function load(file: string): FakeMediaMtx {
  try {
    return new FakeMediaMtx({ config: readFile(file), log })
  } catch (error) {
    return refuse(error)
  }
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const [argument = 'mediamtx.yml'] = process.argv.slice(2)
  if (argument === '--version') process.stdout.write(`${fakeVersion}\n`)
  else await run(argument)
}
