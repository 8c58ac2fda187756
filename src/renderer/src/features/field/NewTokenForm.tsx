import { Button, TextInput } from '@mantine/core'
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { type SubmitEvent, useState } from 'react'
import { useTranslation } from 'react-i18next'
import { createToken } from '../../../../shared/api/system.ts'
import { Callout } from '../../components/Callout.tsx'
import { api } from '../../lib/api.ts'
import { problemText } from '../../lib/problem-text.ts'
import { controllerTokensQuery, freeNumber, invalidateTokens, type NewToken } from './controller-tokens.ts'
import classes from './NewTokenForm.module.css'

const longestName = 100

/** Asks for a controller's name and makes its token, which `onMade` gets with the secret. */
export function NewTokenForm({ onMade }: { onMade: (token: NewToken) => void }) {
  const { t } = useTranslation()
  const client = useQueryClient()
  const tokens = useQuery(controllerTokensQuery)
  const nameOf = (number: number) => t('pairing.defaultName', { number })
  const [typed, setTyped] = useState<string | null>(null)
  const name = typed ?? (tokens.data ? nameOf(freeNumber(tokens.data, nameOf)) : '')
  const create = useMutation({
    mutationFn: () => api.call(createToken, { body: { name: name.trim(), role: 'controller' } }),
    onSuccess: onMade,
    onSettled: () => invalidateTokens(client)
  })
  const submit = (event: SubmitEvent) => {
    event.preventDefault()
    if (name.trim() !== '' && !create.isPending) create.mutate()
  }
  return (
    <form className={classes['form']} onSubmit={submit}>
      <p className={classes['intro']}>{t('pairing.intro')}</p>
      <div className={classes['line']}>
        <TextInput
          className={classes['name']}
          size="lg"
          label={t('pairing.name')}
          description={t('pairing.nameHint')}
          value={name}
          maxLength={longestName}
          onChange={(event) => setTyped(event.currentTarget.value)}
          data-autofocus
        />
        <Button type="submit" size="lg" loading={create.isPending} disabled={name.trim() === ''}>
          {t('pairing.create')}
        </Button>
      </div>
      {create.isError && <Callout tone="bad" title={t('pairing.failed', { reason: problemText(t, create.error) })} />}
    </form>
  )
}
