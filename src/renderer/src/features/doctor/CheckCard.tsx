import { Button } from '@mantine/core'
import { IconAlertOctagonFilled, IconAlertTriangleFilled } from '@tabler/icons-react'
import { Link } from '@tanstack/react-router'
import { useTranslation } from 'react-i18next'
import type { Check } from '../../../../shared/api/doctor.ts'
import { CopyText } from '../../components/CopyText.tsx'
import { Details } from '../../components/Details.tsx'
import { serverWarningText } from '../../lib/server-warning.ts'
import classes from './CheckCard.module.css'
import { useSayCheck } from './use-say-check.ts'

/** What is wrong, what helps, and what to copy for it. */
export function CheckCard({ check }: { check: Check }) {
  const { t } = useTranslation()
  const { name, what, help } = useSayCheck(check)
  const reported = new Set(String(check.facts['reported'] ?? '').split('\n'))
  reported.delete('')
  const plain = new Set([...reported].flatMap((line) => serverWarningText(t, line) ?? []))
  const StateIcon = check.state === 'problem' ? IconAlertOctagonFilled : IconAlertTriangleFilled
  return (
    <article className={classes['card']} data-testid="check" data-id={check.id} data-state={check.state}>
      <header className={classes['head']}>
        <StateIcon size={30} aria-hidden />
        <h2 className={classes['name']}>{name}</h2>
        <span className={classes['state']}>{t(`doctor.state.${check.state}`)}</span>
      </header>
      <p className={classes['what']}>{what}</p>
      {check.code === 'remarks' && [...plain].map((text) => <p key={text}>{text}</p>)}
      {help !== null && <p>{help}</p>}
      {check.copy.map((text) => (
        <CopyText key={text} text={text} />
      ))}
      {reported.size > 0 && <Details summary={t('doctor.reported')} lines={[...reported]} />}
      {check.id === 'jobs' && (
        <Button variant="default" component={Link} to="/jobs">
          {t('doctor.openJobs')}
        </Button>
      )}
    </article>
  )
}
