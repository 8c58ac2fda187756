import { useQuery } from '@tanstack/react-query'
import { useTranslation } from 'react-i18next'
import { useFormats } from '../lib/format.ts'
import { connection } from '../lib/live-updates.ts'
import { statusQuery } from '../lib/status-query.ts'
import { useStore } from '../lib/store.ts'
import classes from './ConnectionNote.module.css'

/** One quiet line at the foot of the navigation: whether the base is there, and how much room it has. */
export function ConnectionNote() {
  const { t } = useTranslation()
  const formats = useFormats()
  const { state } = useStore(connection)
  const freeBytes = useQuery(statusQuery).data?.store.freeBytes ?? null
  const words = { live: t('connection.live'), connecting: t('connection.connecting'), lost: t('connection.lost') }[
    state
  ]

  return (
    <p className={classes['note']} data-state={state} title={words}>
      <span className={classes['dot']} aria-hidden />
      <span className={classes['words']}>{words}</span>
      {freeBytes !== null && (
        <span className={classes['free']}>{t('store.free', { size: formats.bytes(freeBytes) })}</span>
      )}
    </p>
  )
}
