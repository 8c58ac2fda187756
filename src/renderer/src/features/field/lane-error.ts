import type { TFunction } from 'i18next'
import { en } from '../../lib/i18n/en.ts'

type KnownLaneError = keyof typeof en.field.error

function isKnown(code: string): code is KnownLaneError {
  return Object.hasOwn(en.field.error, code)
}

/** A lane's error as a sentence for people; a code without a sentence is shown as it is. */
export function laneErrorText(t: TFunction, code: string): string {
  return isKnown(code) ? t(`field.error.${code}`) : code
}
