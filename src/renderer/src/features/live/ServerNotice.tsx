import { Link } from '@tanstack/react-router'
import type { TFunction } from 'i18next'
import { useTranslation } from 'react-i18next'
import type { MediaServer } from '../../../../shared/api/sources.ts'
import { Callout } from '../../components/Callout.tsx'
import { en } from '../../lib/i18n/en.ts'
import { problemCodeText } from '../../lib/problem-text.ts'
import classes from './ServerNotice.module.css'

/** What is wrong with the streaming service and what helps; nothing while all is well. */
export function ServerNotice({ server: { state, problem, warnings } }: { server: MediaServer }) {
  const { t } = useTranslation()
  if (problem === null && warnings.length === 0 && state !== 'starting') return null
  if (problem !== null)
    return (
      <Callout tone={state === 'starting' ? 'warn' : 'bad'} title={titleOf(t, problem.code, state)}>
        <p>{problem.message}</p>
        <p>{problem.remedy}</p>
        <p>{t('live.recordingsStay')}</p>
        <Link to="/doctor" className={classes['doctor']}>
          {t('doctor.see')}
        </Link>
      </Callout>
    )
  if (state === 'starting') return <Callout tone="warn" title={t('live.starting')} />
  return (
    <Callout tone="warn" title={t('live.serverWarnings')}>
      {warnings.map((warning) => (
        <p key={warning}>{warning}</p>
      ))}
    </Callout>
  )
}

type ServerProblem = keyof typeof en.live.serverProblem

/** What is wrong in a few words; what the base says about it in detail stands below. */
function titleOf(t: TFunction, code: string, state: MediaServer['state']): string {
  const known = (Object.keys(en.live.serverProblem) as ServerProblem[]).find((each) => each === code)
  if (known !== undefined) return t(`live.serverProblem.${known}`)
  return problemCodeText(t, state === 'misconfigured' ? 'live_misconfigured' : 'live_unavailable')
}
