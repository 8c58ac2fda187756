import { useTranslation } from 'react-i18next'
import type { Check } from '../../../../shared/api/doctor.ts'
import { sayCheck } from '../../../../shared/doctor-texts.ts'
import { type Formats, useFormats } from '../../lib/format.ts'

/** What a check found, in the language at hand. */
export function useSayCheck(check: Check): ReturnType<typeof sayCheck> {
  const { t } = useTranslation()
  const formats = useFormats()
  // The facts are filled in afterwards.
  const texts = t('doctor.check', { returnObjects: true, skipInterpolation: true })
  return sayCheck(texts, check, (name, value) => factText(formats, name, value))
}

function factText(formats: Formats, name: string, value: string | number): string {
  if (typeof value === 'string') return name.endsWith('At') ? formats.dateTime(value) : value
  if (name.endsWith('Bytes')) return formats.bytes(value)
  return name.endsWith('Ms') ? formats.span(value) : formats.number(value)
}
