// `npm start`: the desktop application when Electron and a screen are there, otherwise the daemon alone.
// Arguments go to whichever is started: npm start -- --data-dir /data
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { globSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { type ReadyInfo, readyInfoFrom } from '../src/shared/ready.ts'
import { findElectronBinary } from './electron-binary.ts'

const root = join(import.meta.dirname, '..')
const outputs = ['main/index.js', 'preload/index.cjs', 'renderer/index.html', 'daemon/cli.js', 'daemon/host.js']
const inputs = ['src/**/*', 'package-lock.json', '*.config.ts']

const modifiedMs = (path: string) => statSync(join(root, path), { throwIfNoEntry: false })?.mtimeMs ?? 0

function needsBuild(): boolean {
  const oldestOutputMs = Math.min(...outputs.map((path) => modifiedMs(join('out', path))))
  return inputs
    .flatMap((pattern) => globSync(pattern, { cwd: root }))
    .some(
      (path) => !path.includes('.test.') && statSync(join(root, path)).isFile() && modifiedMs(path) > oldestOutputMs
    )
}

function build(): void {
  console.log('Building Flightcase (once after each change)…')
  const { status } = spawnSync('npm', ['run', '--silent', 'build'], {
    cwd: root,
    stdio: ['ignore', 'ignore', 'inherit'],
    shell: process.platform === 'win32'
  })
  if (status !== 0) {
    console.error('The build failed; `npm run build` shows all of its output.')
    process.exit(status ?? 1)
  }
}

/** Ends with the child and with its code. */
function followTo(child: ChildProcess): void {
  process.on('SIGTERM', () => child.kill('SIGTERM'))
  // A terminal gives these to the child as well; handed on, they would look like a second, impatient Ctrl+C.
  for (const signal of ['SIGINT', 'SIGHUP'] as const) process.on(signal, () => {})
  child.on('exit', (code) => process.exit(code ?? 1))
}

function startHeadless(why: string): void {
  const cli = join(root, 'out/daemon/cli.js')
  const child = spawn(process.execPath, [cli, 'serve', '--ready-json', ...process.argv.slice(2)], {
    stdio: ['ignore', 'pipe', 'inherit']
  })
  createInterface({ input: child.stdout }).on('line', (line) => {
    const ready = readyInfoFrom(line)
    console.log(ready ? welcome(why, ready) : line)
  })
  followTo(child)
}

function welcome(why: string, { admin }: ReadyInfo): string {
  return `
Flightcase is running without a window (${why}).

  Open this in a browser:  ${admin.url}/#token=${encodeURIComponent(admin.token)}

The page shows the address to enter on the controllers. The address above contains your key: share it only with people
who may manage the base. Ctrl+C stops it.
`
}

/** From the sources: to read what the options are, nobody should wait for a build. */
function showHelp(): never {
  console.log(
    'npm start -- [options]: the desktop app where there is Electron and a screen; it takes its settings from'
  )
  console.log('the environment and from flightcase.toml. Otherwise the base alone, with the options of "serve":\n')
  const { status } = spawnSync(process.execPath, [join(root, 'src/daemon/cli.ts'), 'serve', '--help'], {
    stdio: 'inherit'
  })
  process.exit(status ?? 1)
}

if (process.argv.slice(2).some((argument) => argument === '--help' || argument === '-h')) showHelp()
if (needsBuild()) build()
const electron = findElectronBinary()
const hasScreen = process.platform !== 'linux' || Boolean(process.env.DISPLAY ?? process.env.WAYLAND_DISPLAY)
if (!electron) startHeadless('Electron is not installed; `npm run setup` fetches it')
else if (!hasScreen) startHeadless('there is no screen')
else followTo(spawn(electron, [root, ...process.argv.slice(2)], { stdio: 'inherit' }))
