import { useQuery } from '@tanstack/react-query'
import { useTranslation } from 'react-i18next'
import { useFormats } from '../../lib/format.ts'
import classes from './DeadJobsBadge.module.css'
import { deadJobsQuery } from './jobs.queries.ts'

/** How many jobs gave up; nothing while there are none. */
export function DeadJobsBadge() {
  const { t } = useTranslation()
  const formats = useFormats()
  const { data: dead = 0 } = useQuery(deadJobsQuery)
  if (dead === 0) return null
  return (
    <span
      className={classes['badge']}
      role="img"
      aria-label={t('jobs.badge', { count: dead, amount: formats.number(dead) })}
    >
      {dead > 99 ? '99+' : dead}
    </span>
  )
}
