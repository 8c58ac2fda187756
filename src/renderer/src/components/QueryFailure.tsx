import { Button, Title } from '@mantine/core'
import { IconAlertTriangle } from '@tabler/icons-react'
import { useTranslation } from 'react-i18next'
import { problemText } from '../lib/problem-text.ts'
import classes from './Notice.module.css'

/** What stands where a list would be when it could not be loaded. */
export function QueryFailure({ error, retry }: { error: unknown; retry: () => void }) {
  const { t } = useTranslation()
  return (
    <div className={classes['notice']} role="alert">
      <IconAlertTriangle size={44} className={classes['bad']} aria-hidden />
      <Title order={2} size="h3">
        {problemText(t, error)}
      </Title>
      <Button onClick={retry}>{t('app.retry')}</Button>
    </div>
  )
}
