import { Button, Loader } from '@mantine/core'
import { IconCircleCheckFilled } from '@tabler/icons-react'
import { useQuery } from '@tanstack/react-query'
import { useTranslation } from 'react-i18next'
import { Callout } from '../../components/Callout.tsx'
import { CopyText } from '../../components/CopyText.tsx'
import { Steps } from '../../components/Steps.tsx'
import classes from './ConnectWithToken.module.css'
import { controllerTokensQuery, type NewToken } from './controller-tokens.ts'
import { FieldAddresses } from './FieldAddresses.tsx'

/** The one time a token's secret is shown, with what goes where on the controller; tells when the controller has used it. */
export function ConnectWithToken({ token, onDone }: { token: NewToken; onDone: () => void }) {
  const { t } = useTranslation()
  const tokens = useQuery(controllerTokensQuery)
  const signedIn = tokens.data?.some(({ id, lastUsedAt }) => id === token.id && lastUsedAt !== null) ?? false
  return (
    <div className={classes['parts']}>
      <Steps>
        <li>{t('field.step1')}</li>
        <li>
          {t('field.step2')}
          <FieldAddresses />
        </li>
        <li>
          {t('pairing.token')}
          <div className={classes['secret']} data-testid="token-secret">
            <CopyText text={token.secret} large />
            <Callout tone="warn" title={t('pairing.shownOnce')}>
              {t('pairing.shownOnceText')}
            </Callout>
          </div>
        </li>
        <li>{t('field.step3')}</li>
      </Steps>
      <div className={classes['foot']}>
        <span className={classes['state']} data-signed-in={signedIn} role="status">
          {signedIn ? <IconCircleCheckFilled size={26} aria-hidden /> : <Loader size="sm" />}
          {signedIn ? t('pairing.signedIn') : t('pairing.waiting')}
        </span>
        <Button size="lg" variant={signedIn ? 'filled' : 'default'} onClick={onDone}>
          {t('pairing.done')}
        </Button>
      </div>
    </div>
  )
}
