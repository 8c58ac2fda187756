import type { TFunction } from 'i18next'
import { ApiError } from '../../../shared/api-client.ts'
import { en } from './i18n/en.ts'

type KnownProblem = Exclude<keyof typeof en.problem, 'other' | 'outage'>

function isKnown(code: string): code is KnownProblem {
  return Object.hasOwn(en.problem, code) && code !== 'other' && code !== 'outage'
}

/** What went wrong with a call, as a sentence for people; a code without a sentence is shown as it is. */
export function problemText(t: TFunction, error: unknown): string {
  if (!(error instanceof ApiError) || error.problem === null) return t('problem.outage')
  return problemCodeText(t, error.problem.code)
}

/** The same for a code alone. */
export function problemCodeText(t: TFunction, code: string): string {
  return isKnown(code) ? t(`problem.${code}`) : t('problem.other', { code })
}
