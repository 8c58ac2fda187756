import { execFileSync } from 'node:child_process'
import { copyFileSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'

// Makes the package `@flightcase/client` in a folder (out/client unless another is given), ready for `npm pack`.
const root = join(import.meta.dirname, '..')
const target = process.argv[2] ?? join(root, 'out/client')

const own = z
  .object({ version: z.string(), license: z.string(), devDependencies: z.record(z.string(), z.string()) })
  .parse(JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')))

rmSync(target, { recursive: true, force: true })
mkdirSync(target, { recursive: true })
const options = ['--project', join(root, 'tsconfig.client.json'), '--outDir', target, '--incremental', 'false']
execFileSync(process.execPath, [join(root, 'node_modules/typescript/bin/tsc'), ...options, '--composite', 'false'], {
  stdio: 'inherit'
})
const dependency = (name: string) => ({ [name]: `^${own.devDependencies[name]}` })
writeFileSync(
  join(target, 'package.json'),
  `${JSON.stringify(
    {
      name: '@flightcase/client',
      version: own.version,
      description: 'Stores, finds, shows and lets go of media in a Flightcase base, from browsers and Node.',
      license: own.license,
      type: 'module',
      engines: { node: '>=22.12' },
      exports: {
        '.': { types: './client/client.d.ts', default: './client/client.js' },
        './api/*.js': { types: './shared/api/*.d.ts', default: './shared/api/*.js' },
        './errors.js': { types: './shared/api-client.d.ts', default: './shared/api-client.js' }
      },
      dependencies: { ...dependency('zod'), ...dependency('eventsource-parser') }
    },
    null,
    2
  )}\n`
)
copyFileSync(join(root, 'LICENSE'), join(target, 'LICENSE'))
copyFileSync(join(root, 'src/client/README.md'), join(target, 'README.md'))
