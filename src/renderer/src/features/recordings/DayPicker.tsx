import { ActionIcon, NativeSelect, Tooltip } from '@mantine/core'
import { IconChevronLeft, IconChevronRight } from '@tabler/icons-react'
import { useTranslation } from 'react-i18next'
import type { z } from 'zod'
import type { listRecordingDays } from '../../../../shared/api/recordings.ts'
import { useFormats } from '../../lib/format.ts'
import classes from './RecordingsScreen.module.css'

/** A day that something was recorded on. */
export type RecordingDay = z.infer<(typeof listRecordingDays)['response']>['items'][number]

/**
 * Chooses among the days that something was recorded on, newest first, each with how much; `earlier` is the next one, of which that is not
 * known yet.
 */
export function DayPicker({
  days,
  earlier: next,
  day,
  onDay
}: {
  days: readonly RecordingDay[]
  earlier: string | null
  day: string
  onDay: (day: string) => void
}) {
  const { t } = useTranslation()
  const formats = useFormats()
  // Whoever comes from elsewhere may be at a day that is earlier than all that is known.
  const nextEarlier = next !== null && next < day ? next : undefined
  const earlier = days.find((other) => other.day < day)?.day ?? nextEarlier
  const later = days.findLast((other) => other.day > day)?.day
  const labelOf = ({ day: value, duration, size_bytes: size }: RecordingDay) => {
    const parts = { day: formats.shortDay(value), duration: formats.span(duration * 1000) }
    return size === null
      ? t('recordings.dayOptionNoSize', parts)
      : t('recordings.dayOption', { ...parts, size: formats.bytes(size) })
  }
  return (
    <div className={classes['days']}>
      <Step label={t('recordings.earlierDay')} icon={IconChevronLeft} day={earlier} onDay={onDay} />
      <NativeSelect
        className={classes['day']}
        aria-label={t('recordings.day')}
        value={day}
        onChange={(event) => onDay(event.currentTarget.value)}
        data={[
          ...(days.some((other) => other.day === day) ? [] : [{ value: day, label: formats.shortDay(day) }]),
          ...days.map((each) => ({ value: each.day, label: labelOf(each) })),
          ...(next === null || next === day ? [] : [{ value: next, label: formats.shortDay(next) }])
        ]}
      />
      <Step label={t('recordings.laterDay')} icon={IconChevronRight} day={later} onDay={onDay} />
    </div>
  )
}

function Step({
  label,
  icon: StepIcon,
  day,
  onDay
}: {
  label: string
  icon: typeof IconChevronLeft
  day: string | undefined
  onDay: (day: string) => void
}) {
  return (
    <Tooltip label={label}>
      <ActionIcon
        variant="default"
        aria-label={label}
        disabled={day === undefined}
        onClick={() => day !== undefined && onDay(day)}
      >
        <StepIcon size={26} />
      </ActionIcon>
    </Tooltip>
  )
}
