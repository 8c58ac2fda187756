/** Whether `host` (lower case) is one of `rules`: host names, or `*.example.org` for every name below `example.org`. */
export function isHostAmong(rules: readonly string[], host: string): boolean {
  return rules.some((rule) =>
    rule.startsWith('*.') ? host.endsWith(rule.slice(1)) && host.length >= rule.length : host === rule
  )
}
