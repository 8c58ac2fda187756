import { Button } from '@mantine/core'
import { IconMapSearch } from '@tabler/icons-react'
import { Link } from '@tanstack/react-router'
import { useTranslation } from 'react-i18next'
import { EmptyNotice } from '../components/EmptyNotice.tsx'

/** What an unknown address shows. */
export function NotFoundPage() {
  const { t } = useTranslation()
  return (
    <EmptyNotice
      icon={IconMapSearch}
      title={t('app.notFoundTitle')}
      text={t('app.notFoundText')}
      action={
        <Button component={Link} to="/field">
          {t('app.goToField')}
        </Button>
      }
    />
  )
}
