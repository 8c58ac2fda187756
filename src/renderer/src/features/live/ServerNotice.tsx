import { Link } from '@tanstack/react-router'
import { useTranslation } from 'react-i18next'
import type { MediaServer } from '../../../../shared/api/sources.ts'
import { Callout } from '../../components/Callout.tsx'
import { en } from '../../lib/i18n/en.ts'
import { problemCodeText } from '../../lib/problem-text.ts'
import classes from './ServerNotice.module.css'

/** What is wrong with the streaming service and what helps; nothing while all is well. */
export function ServerNotice({ server: { state, problem, warnings } }: { server: MediaServer }) {
  const { t } = useTranslation()
  if (problem !== null) return <Problem problem={problem} state={state} />
  if (state === 'starting') return <Callout tone="warn" title={t('live.starting')} />
  if (warnings.length === 0) return null
  return (
    <Callout tone="warn" title={t('live.serverWarnings')}>
      {warnings.map((warning) => {
        const known = warningOf(warning)
        return <p key={warning}>{known === null ? warning : t(`live.serverWarning.${known}`)}</p>
      })}
      <Details lines={warnings} />
    </Callout>
  )
}

/** What the base says itself, in English, for whoever looks closer. */
function Details({ lines }: { lines: readonly string[] }) {
  const { t } = useTranslation()
  return (
    <details className={classes['details']}>
      <summary>{t('live.details')}</summary>
      {lines.map((line) => (
        <p key={line}>{line}</p>
      ))}
    </details>
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
      <p>{t('live.recordingsStay')}</p>
      <Details lines={[message, remedy]} />
      <Link to="/doctor" className={classes['doctor']}>
        {t('doctor.see')}
      </Link>
    </Callout>
  )
}

/** What a warning is about, by what stands in it; first match first. */
const warningPatterns = [
  ['notAsked', /`authHTTPAddress`/],
  ['cannotAsk', /cannot ask who may/],
  ['noLimits', /`live\.max_gb`/],
  ['recordingsUnplayable', /`(playback|recordPath|recordFormat)`/],
  ['hlsOff', /`hls`/],
  ['openToAll', /`authInternalUsers`/],
  ['version', /is no release|not the version that is tested/]
] as const

function warningOf(warning: string): keyof typeof en.live.serverWarning | null {
  return warningPatterns.find(([, pattern]) => pattern.test(warning))?.[0] ?? null
}
