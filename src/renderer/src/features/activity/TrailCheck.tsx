import { Button } from '@mantine/core'
import { IconCircleCheckFilled, IconShieldCheck } from '@tabler/icons-react'
import { useMutation } from '@tanstack/react-query'
import { useTranslation } from 'react-i18next'
import { verifyAudit } from '../../../../shared/api/audit.ts'
import { Callout } from '../../components/Callout.tsx'
import { api } from '../../lib/api.ts'
import { useFormats } from '../../lib/format.ts'
import { problemText } from '../../lib/problem-text.ts'
import classes from './ActivityScreen.module.css'

/** Computes the trail's hashes again and says plainly whether it is whole. */
export function TrailCheck() {
  const { t } = useTranslation()
  const formats = useFormats()
  const check = useMutation({ mutationFn: () => api.call(verifyAudit, {}) })
  const { data } = check
  const count = data?.recordCount ?? 0
  return (
    <section className={classes['check']} aria-label={t('activity.check')}>
      <Button
        variant="default"
        leftSection={<IconShieldCheck size={22} aria-hidden />}
        loading={check.isPending}
        onClick={() => check.mutate()}
      >
        {t('activity.check')}
      </Button>
      <div className={classes['result']} role="status">
        {check.isError ? (
          <Callout tone="warn" title={problemText(t, check.error)} />
        ) : data === undefined ? (
          <span className={classes['muted']}>{t('activity.checkText')}</span>
        ) : data.isIntact ? (
          <span className={classes['ok']}>
            <IconCircleCheckFilled size={24} aria-hidden />
            {t('activity.intact', { count, amount: formats.number(count) })}
          </span>
        ) : (
          <Callout tone="bad" title={t(`activity.broken.${data.problem ?? 'record_changed'}`)}>
            {t('activity.brokenText', { seq: data.firstBrokenSeq ?? count })}
          </Callout>
        )}
      </div>
    </section>
  )
}
