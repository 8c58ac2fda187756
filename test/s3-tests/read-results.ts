export type TestResult = 'passed' | 'failed' | 'error' | 'skipped'

/** The results in a JUnit report of pytest, by `module::test`. */
export function readResults(report: string): Map<string, TestResult> {
  const results = new Map<string, TestResult>()
  for (const [, attributes = '', selfClosed, inside = ''] of report.matchAll(
    /<testcase ([^>]*?)(?:(\/)>|>([\s\S]*?)<\/testcase>)/g
  )) {
    const module = /classname="(?:[^"]*\.)?([^".]+)"/.exec(attributes)?.[1]
    const name = / name="([^"]+)"/.exec(` ${attributes}`)?.[1]
    if (module === undefined || name === undefined) continue
    const key = `${module}::${name}`
    const result = selfClosed ? 'passed' : resultOf(inside)
    // A test that passed and could not tidy up is reported twice.
    if (results.get(key) === undefined || result !== 'passed') results.set(key, result)
  }
  return results
}

function resultOf(inside: string): TestResult {
  if (inside.includes('<failure')) return 'failed'
  if (inside.includes('<error')) return 'error'
  return inside.includes('<skipped') ? 'skipped' : 'passed'
}
