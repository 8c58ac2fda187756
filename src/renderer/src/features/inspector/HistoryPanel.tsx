import type { TFunction } from 'i18next'
import { useTranslation } from 'react-i18next'
import type { AssetDetail } from '../../../../shared/api/assets.ts'
import { useFormats } from '../../lib/format.ts'
import { en } from '../../lib/i18n/en.ts'
import classes from './Facts.module.css'
import { Panel } from './Facts.tsx'

type EventWord = keyof typeof en.inspector.event

function isKnown(word: string): word is EventWord {
  return Object.hasOwn(en.inspector.event, word)
}

/** What an event says in words; one without words is shown by its type. */
function eventText(t: TFunction, type: string): string {
  const word = type.replaceAll('.', '_')
  return isKnown(word) ? t(`inspector.event.${word}`) : type
}

/** What happened to the asset, newest first. */
export function HistoryPanel({ events }: { events: AssetDetail['events'] }) {
  const { t } = useTranslation()
  const formats = useFormats()
  const newestFirst = events.toSorted((a, b) => b.seq - a.seq)
  return (
    <Panel title={t('inspector.history')}>
      {newestFirst.length === 0 ? (
        <p className={classes['none']}>{t('inspector.historyNone')}</p>
      ) : (
        <ol className={classes['list']}>
          {newestFirst.map((event) => (
            <li key={event.seq} className={classes['item']}>
              <span className={classes['line']}>
                <span>{eventText(t, event.type)}</span>
                <time className={classes['muted']} dateTime={event.at}>
                  {formats.dateTime(event.at)}
                </time>
              </span>
            </li>
          ))}
        </ol>
      )}
    </Panel>
  )
}
