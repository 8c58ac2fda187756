// `npm run check:lock`: exits 1 and names every problem when package-lock.json would not install on each platform.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { lockProblems } from './lock-problems.ts'

const problems = lockProblems(JSON.parse(readFileSync(join(import.meta.dirname, '../package-lock.json'), 'utf8')))
for (const problem of problems) console.error(problem)
console.log(problems.length === 0 ? 'package-lock.json is complete' : `package-lock.json: ${problems.length} problems`)
process.exitCode = problems.length === 0 ? 0 : 1
