import { isHostAmong } from '../../http/host-rule.ts'

/** Which pages may show what opens without a token. An empty list allows every page. */
export interface RefererRule {
  /** Host names; `*.example.org` stands for every name below `example.org`. */
  hosts: readonly string[]
  /** Whether requests that name no page pass, as those of apps and of browsers told to keep it to themselves do. */
  allowEmpty: boolean
}

/** Judges the Referer header (RFC 9110 §10.1.3). One that is no address of a page counts as foreign. */
export function refererAllowed({ hosts, allowEmpty }: RefererRule, referer: string | undefined): boolean {
  if (hosts.length === 0) return true
  if (referer === undefined || referer === '') return allowEmpty
  if (!URL.canParse(referer)) return false
  return isHostAmong(hosts, new URL(referer).hostname)
}
