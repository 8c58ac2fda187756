import { Button, Skeleton, Title } from '@mantine/core'
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { revokeToken } from '../../../../shared/api/system.ts'
import { QueryFailure } from '../../components/QueryFailure.tsx'
import { api } from '../../lib/api.ts'
import { useFormats } from '../../lib/format.ts'
import { problemText } from '../../lib/problem-text.ts'
import { showToast } from '../../lib/toasts.ts'
import { useNow } from '../../lib/use-now.ts'
import classes from './ControllerTokens.module.css'
import { controllerTokensQuery, invalidateTokens, type Token } from './controller-tokens.ts'

/** The controllers that hold a valid token, each of which can be taken away. */
export function ControllerTokens() {
  const { t } = useTranslation()
  const tokens = useQuery(controllerTokensQuery)
  const valid = tokens.data?.filter(({ revokedAt }) => revokedAt === null)
  return (
    <section aria-labelledby="controller-tokens">
      <Title order={3} size="h4" id="controller-tokens">
        {t('pairing.issued')}
      </Title>
      {tokens.isPending ? (
        <Skeleton height={56} mt="sm" radius="md" />
      ) : valid === undefined ? (
        <QueryFailure error={tokens.error} retry={() => void tokens.refetch()} />
      ) : valid.length === 0 ? (
        <p className={classes['muted']}>{t('pairing.none')}</p>
      ) : (
        <ul className={classes['list']}>
          {valid.map((token) => (
            <TokenRow key={token.id} token={token} />
          ))}
        </ul>
      )}
    </section>
  )
}

function TokenRow({ token }: { token: Token }) {
  const { t } = useTranslation()
  const formats = useFormats()
  const now = useNow(30_000)
  const [asking, setAsking] = useState(false)
  const { name, lastUsedAt } = token
  return (
    <li className={classes['row']} data-testid="controller-token">
      <div className={classes['line']}>
        <strong className={classes['name']}>{name}</strong>
        <span className={classes['muted']}>
          {lastUsedAt === null ? t('pairing.neverUsed') : t('pairing.lastUsed', { ago: formats.ago(lastUsedAt, now) })}
        </span>
        {!asking && (
          <Button variant="default" aria-label={t('pairing.revokeLabel', { name })} onClick={() => setAsking(true)}>
            {t('pairing.revoke')}
          </Button>
        )}
      </div>
      {asking && <RevokeQuestion token={token} onKeep={() => setAsking(false)} />}
    </li>
  )
}

/** Asked because there is no way back: a revoked token stays revoked. */
function RevokeQuestion({ token, onKeep }: { token: Token; onKeep: () => void }) {
  const { t } = useTranslation()
  const client = useQueryClient()
  const { id, name } = token
  const revoke = useMutation({
    mutationFn: () => api.call(revokeToken, { params: { tokenId: id } }),
    onSuccess: () => showToast({ tone: 'info', text: t('pairing.revoked', { name }) }),
    onError: (error) =>
      showToast({ tone: 'bad', text: t('pairing.revokeFailed', { name, reason: problemText(t, error) }) }),
    onSettled: () => invalidateTokens(client)
  })
  return (
    <div className={classes['question']} role="alertdialog" aria-label={t('pairing.revokeAsk', { name })}>
      <strong>{t('pairing.revokeAsk', { name })}</strong>
      <p>{t('pairing.revokeText')}</p>
      <div className={classes['answers']}>
        <Button variant="default" onClick={onKeep} autoFocus>
          {t('pairing.keep')}
        </Button>
        <Button color="red.9" loading={revoke.isPending} onClick={() => revoke.mutate()}>
          {t('pairing.revoke')}
        </Button>
      </div>
    </div>
  )
}
