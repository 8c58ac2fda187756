import { Button, CloseButton, Code, Title } from '@mantine/core'
import { IconDeviceGamepad2, IconPlus } from '@tabler/icons-react'
import { useQuery } from '@tanstack/react-query'
import { useTranslation } from 'react-i18next'
import { Callout } from '../../components/Callout.tsx'
import { Steps } from '../../components/Steps.tsx'
import { statusQuery } from '../../lib/status-query.ts'
import classes from './ConnectGuide.module.css'
import { FieldAddresses } from './FieldAddresses.tsx'

/**
 * How to connect a controller, with the addresses to type into it. `onAdd` is given to those who may make a token, `onHide` when
 * the guide can be put away.
 */
export function ConnectGuide({ onAdd, onHide }: { onAdd?: (() => void) | undefined; onHide?: () => void }) {
  const { t } = useTranslation()
  const status = useQuery(statusQuery)
  return (
    <section className={classes['guide']} data-testid="connect-guide">
      <div className={classes['head']}>
        <IconDeviceGamepad2 size={44} stroke={1.5} aria-hidden />
        <div>
          <Title order={2} size="h2">
            {onHide === undefined ? t('field.emptyTitle') : t('field.connectAnother')}
          </Title>
          <p className={classes['lead']}>{t('field.emptyText')}</p>
        </div>
        {onHide !== undefined && <CloseButton size={44} aria-label={t('field.hideGuide')} onClick={onHide} />}
      </div>
      {status.data && !status.data.controllersCanPair && (
        <Callout tone="warn" title={t('field.cannotPair')}>
          {onAdd && status.data.tokenCommand !== null && (
            <>
              {t('field.cannotPairHow')}
              <Code block className={classes['command'] ?? ''}>
                {status.data.tokenCommand}
              </Code>
            </>
          )}
        </Callout>
      )}
      {onAdd && (
        <Button size="lg" className={classes['add']} leftSection={<IconPlus size={22} aria-hidden />} onClick={onAdd}>
          {t('pairing.add')}
        </Button>
      )}
      {status.data && !onAdd && <p className={classes['lead']}>{t('field.askAdmin')}</p>}
      <Steps>
        <li>{t('field.step1')}</li>
        <li>
          {t('field.step2')}
          <FieldAddresses />
        </li>
        <li>{t('field.stepToken')}</li>
        <li>{t('field.step3')}</li>
      </Steps>
    </section>
  )
}
