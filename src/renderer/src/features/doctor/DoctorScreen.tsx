import { Button, Skeleton } from '@mantine/core'
import { IconLock, IconRefresh } from '@tabler/icons-react'
import { useQuery } from '@tanstack/react-query'
import { useTranslation } from 'react-i18next'
import type { Check } from '../../../../shared/api/doctor.ts'
import { EmptyNotice } from '../../components/EmptyNotice.tsx'
import { Page } from '../../components/Page.tsx'
import { ProgressBar } from '../../components/ProgressBar.tsx'
import { QueryFailure } from '../../components/QueryFailure.tsx'
import { Verdict } from '../../components/Verdict.tsx'
import { useFormats } from '../../lib/format.ts'
import { statusQuery } from '../../lib/status-query.ts'
import { CheckCard } from './CheckCard.tsx'
import { CheckLine } from './CheckLine.tsx'
import classes from './DoctorScreen.module.css'
import { doctorQuery } from './doctor.queries.ts'

/** Everything the base stands on: what is wrong and what helps first, then what is in order. */
export function DoctorScreen() {
  const { t } = useTranslation()
  const { data: status } = useQuery(statusQuery)
  if (status === undefined) return <Skeleton height={240} radius="md" />
  // What the base stands on belongs to no workspace.
  if (status.workspaceIds !== null)
    return <EmptyNotice icon={IconLock} title={t('doctor.forbiddenTitle')} text={t('doctor.forbiddenText')} />
  return <Checks />
}

function Checks() {
  const { t } = useTranslation()
  const formats = useFormats()
  const doctor = useQuery(doctorQuery)
  const { data } = doctor
  return (
    <Page
      title={t('doctor.title')}
      actions={
        <>
          {data && (
            <span className={classes['muted']}>{t('doctor.checked', { time: formats.time(data.checkedAt) })}</span>
          )}
          <Button
            leftSection={<IconRefresh size={22} aria-hidden />}
            disabled={doctor.isFetching}
            onClick={() => void doctor.refetch()}
          >
            {t(doctor.isFetching ? 'doctor.checking' : 'doctor.again')}
          </Button>
        </>
      }
    >
      <div className={classes['progress']}>
        {doctor.isFetching && <ProgressBar fraction={null} label={t('doctor.checking')} />}
      </div>
      {doctor.isError && <QueryFailure error={doctor.error} retry={() => void doctor.refetch()} />}
      {doctor.isPending && <Skeleton height={240} radius="md" />}
      {data && !doctor.isError && <Findings checks={data.checks} />}
    </Page>
  )
}

function Findings({ checks }: { checks: readonly Check[] }) {
  const { t } = useTranslation()
  const of = (state: Check['state']) => checks.filter((check) => check.state === state)
  const trouble = [...of('problem'), ...of('warning')]
  const rest = [...of('ok'), ...of('off')]
  return (
    <>
      <Outcome problems={of('problem').length} warnings={of('warning').length} />
      {trouble.length > 0 && (
        <section className={classes['trouble']} aria-label={t('doctor.trouble')}>
          {trouble.map((check) => (
            <CheckCard key={check.id} check={check} />
          ))}
        </section>
      )}
      {rest.length > 0 && (
        <section className={classes['rest']} aria-label={t('doctor.rest')}>
          <ul className={classes['list']}>
            {rest.map((check) => (
              <CheckLine key={check.id} check={check} />
            ))}
          </ul>
        </section>
      )}
    </>
  )
}

/** How it stands with the base. */
function Outcome({ problems, warnings }: { problems: number; warnings: number }) {
  const { t } = useTranslation()
  const words = [
    problems > 0 && t('doctor.problems', { count: problems }),
    warnings > 0 && t('doctor.warnings', { count: warnings })
  ].filter((text) => text !== false)
  const tone = problems > 0 ? 'bad' : warnings > 0 ? 'warn' : 'ok'
  return <Verdict tone={tone} text={words.length === 0 ? t('doctor.well') : words.join(' · ')} />
}
