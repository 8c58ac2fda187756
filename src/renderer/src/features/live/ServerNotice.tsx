import { Link } from '@tanstack/react-router'
import { useTranslation } from 'react-i18next'
import type { MediaServer } from '../../../../shared/api/sources.ts'
import { Callout } from '../../components/Callout.tsx'
import { Details } from '../../components/Details.tsx'
import { en } from '../../lib/i18n/en.ts'
import { problemCodeText } from '../../lib/problem-text.ts'
import { serverWarningText } from '../../lib/server-warning.ts'
import classes from './ServerNotice.module.css'

/** What is wrong with the streaming service and what helps; nothing while all is well. */
export function ServerNotice({ server: { state, problem, warnings } }: { server: MediaServer }) {
  const { t } = useTranslation()
  if (problem !== null) return <Problem problem={problem} state={state} />
  if (state === 'starting') return <Callout tone="warn" title={t('live.starting')} />
  if (warnings.length === 0) return null
  return (
    <Callout tone="warn" title={t('live.serverWarnings')}>
      {warnings.map((warning) => (
        <p key={warning}>{serverWarningText(t, warning) ?? warning}</p>
      ))}
      <Details summary={t('live.details')} lines={warnings} />
    </Callout>
  )
}

type KnownProblem = keyof typeof en.live.serverProblem
const isKnown = (code: string): code is KnownProblem => Object.hasOwn(en.live.serverProblem, code)

function Problem({ problem, state }: { problem: NonNullable<MediaServer['problem']>; state: MediaServer['state'] }) {
  const { t } = useTranslation()
  const { code, message, remedy } = problem
  const title = isKnown(code)
    ? t(`live.serverProblem.${code}`)
    : problemCodeText(t, state === 'misconfigured' ? 'live_misconfigured' : 'live_unavailable')
  return (
    <Callout tone={state === 'starting' ? 'warn' : 'bad'} title={title}>
      <p>{isKnown(code) ? t(`live.serverRemedy.${code}`) : `${message} ${remedy}`}</p>
      {code !== 'recordings_folder_unusable' && <p>{t('live.recordingsStay')}</p>}
      <Details summary={t('live.details')} lines={[message, remedy]} />
      <Link to="/doctor" className={classes['doctor']}>
        {t('doctor.see')}
      </Link>
    </Callout>
  )
}
