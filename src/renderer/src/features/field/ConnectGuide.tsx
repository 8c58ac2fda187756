import { CloseButton, Skeleton, Title } from '@mantine/core'
import { IconDeviceGamepad2 } from '@tabler/icons-react'
import { useQuery } from '@tanstack/react-query'
import { useTranslation } from 'react-i18next'
import { Callout } from '../../components/Callout.tsx'
import { CopyText } from '../../components/CopyText.tsx'
import { statusQuery } from '../../lib/status-query.ts'
import classes from './ConnectGuide.module.css'

const tokenCommand = 'flightcase token create --role controller --name "RC 1"'
const openToNetwork = '--field 0.0.0.0:8700'

/** How to connect a controller, with the addresses to type into it. `onHide` is given when it can be put away. */
export function ConnectGuide({ onHide }: { onHide?: () => void }) {
  const { t } = useTranslation()
  const status = useQuery(statusQuery)
  return (
    <section className={classes['guide']} data-testid="connect-guide">
      <div className={classes['head']}>
        <IconDeviceGamepad2 size={44} stroke={1.5} aria-hidden />
        <div>
          <Title order={2} size="h2">
            {onHide === undefined ? t('field.emptyTitle') : t('field.addController')}
          </Title>
          <p className={classes['lead']}>{t('field.emptyText')}</p>
        </div>
        {onHide !== undefined && <CloseButton size={44} aria-label={t('field.hideGuide')} onClick={onHide} />}
      </div>
      {status.data && !status.data.controllersCanPair && (
        <Callout tone="warn" title={t('field.cannotPair')}>
          {t('field.cannotPairHow', { command: tokenCommand })}
        </Callout>
      )}
      <ol className={classes['steps']}>
        <li>{t('field.step1')}</li>
        <li>
          {t('field.step2')}
          <FieldAddresses urls={status.data?.fieldUrls} />
        </li>
        <li>{t('field.step3')}</li>
      </ol>
    </section>
  )
}

function FieldAddresses({ urls }: { urls: readonly string[] | undefined }) {
  const { t } = useTranslation()
  if (urls === undefined) return <Skeleton height={64} mt="sm" radius="md" />
  if (urls.length === 0)
    return (
      <div className={classes['addresses']}>
        <Callout tone="warn" title={t('field.noAddress')} />
      </div>
    )
  return (
    <div className={classes['addresses']}>
      {urls.map((url) => (
        <CopyText key={url} text={url} large />
      ))}
      {urls.every(isLoopback) && (
        <Callout tone="warn" title={t('field.loopbackOnly')}>
          {t('field.loopbackOnlyHow', { option: openToNetwork })}
        </Callout>
      )}
    </div>
  )
}

function isLoopback(url: string): boolean {
  const { hostname } = new URL(url)
  return hostname === 'localhost' || hostname === '[::1]' || hostname.startsWith('127.')
}
