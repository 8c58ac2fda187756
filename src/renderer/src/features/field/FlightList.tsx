import { Title } from '@mantine/core'
import { IconCircleCheckFilled } from '@tabler/icons-react'
import { useTranslation } from 'react-i18next'
import type { Flight } from '../../../../shared/api/field.ts'
import { ProgressBar } from '../../components/ProgressBar.tsx'
import { useFormats } from '../../lib/format.ts'
import { useNow } from '../../lib/use-now.ts'
import classes from './FlightList.module.css'

/** The latest flights and how much of each is here. */
export function FlightList({ flights }: { flights: readonly Flight[] }) {
  const { t } = useTranslation()
  return (
    <section className={classes['panel']} aria-labelledby="flights">
      <Title order={2} size="h3" id="flights">
        {t('field.flights')}
      </Title>
      {flights.length === 0 ? (
        <p className={classes['none']}>{t('field.flightsNone')}</p>
      ) : (
        <ul className={classes['list']}>
          {flights.map((flight) => (
            <FlightRow key={flight.id} flight={flight} />
          ))}
        </ul>
      )}
    </section>
  )
}

function FlightRow({ flight }: { flight: Flight }) {
  const { t } = useTranslation()
  const formats = useFormats()
  const now = useNow(30_000)
  const { expectedCount, uploadedCount } = flight
  const missing = expectedCount === null ? 0 : Math.max(0, expectedCount - uploadedCount)
  return (
    <li className={classes['flight']} data-testid="flight">
      <div className={classes['line']}>
        <strong className={classes['name']}>{flight.name}</strong>
        <span className={classes['amount']}>
          {expectedCount === null
            ? t('field.flightUnknown', { count: uploadedCount })
            : t('field.flightOf', { uploaded: uploadedCount, expected: expectedCount })}
        </span>
      </div>
      {expectedCount !== null && expectedCount > 0 && (
        <ProgressBar fraction={Math.min(1, uploadedCount / expectedCount)} label={flight.name} done={flight.complete} />
      )}
      <div className={classes['line']}>
        {flight.complete ? (
          <span className={classes['complete']}>
            <IconCircleCheckFilled size={20} aria-hidden /> {t('field.flightComplete')}
          </span>
        ) : (
          <span className={classes['missing']}>{missing > 0 && t('field.flightMissing', { count: missing })}</span>
        )}
        <time className={classes['ago']} dateTime={flight.updatedAt}>
          {formats.ago(flight.updatedAt, now)}
        </time>
      </div>
    </li>
  )
}
