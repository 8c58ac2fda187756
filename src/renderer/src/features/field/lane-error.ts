import type { TFunction } from 'i18next'
import { en } from '../../lib/i18n/en.ts'

type KnownLaneError = Exclude<keyof typeof en.field.error, 'other'>

function isKnown(code: string): code is KnownLaneError {
  return Object.hasOwn(en.field.error, code) && code !== 'other'
}

/** A lane's error as a sentence for people; a code without one of its own stands in a general sentence. */
export function laneErrorText(t: TFunction, code: string): string {
  return isKnown(code) ? t(`field.error.${code}`) : t('field.error.other', { code })
}
