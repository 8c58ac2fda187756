import { Button, Loader, PasswordInput, Text, Title } from '@mantine/core'
import { IconPlugConnectedX } from '@tabler/icons-react'
import { type FormEvent, useEffect, useState } from 'react'
import { useTranslation } from 'react-i18next'
import { Callout } from '../components/Callout.tsx'
import { openSessionWith, type Session, startSession, tokenFromFragment } from '../lib/session.ts'
import logo from './flightcase.svg'
import { PreferencesMenu } from './PreferencesMenu.tsx'
import classes from './SessionPage.module.css'

/** What is shown instead of the application while this page may not, or cannot, ask the daemon. */
export function SessionPage({ session }: { session: Exclude<Session, { state: 'open' }> }) {
  return (
    <main className={classes['page']} data-testid="app">
      <div className={classes['card']}>
        <img src={logo} alt="" width={56} height={56} />
        {session.state === 'none' ? <TokenForm reason={session.reason} /> : <Waiting state={session.state} />}
      </div>
      <div className={classes['preferences']}>
        <PreferencesMenu compact />
      </div>
    </main>
  )
}

type Refusal = Extract<Session, { state: 'none' }>['reason']

function TokenForm({ reason }: { reason: Refusal }) {
  const { t } = useTranslation()
  const [pasted, setPasted] = useState('')
  const [busy, setBusy] = useState(false)

  async function submit(event: FormEvent) {
    event.preventDefault()
    const text = pasted.trim()
    const hash = text.indexOf('#')
    const token = (hash >= 0 ? tokenFromFragment(text.slice(hash)) : text) ?? ''
    if (token === '') return
    setBusy(true)
    await openSessionWith(token)
    setBusy(false)
  }

  return (
    <form className={classes['form']} onSubmit={(event) => void submit(event)}>
      <Title order={1} size="h2">
        {t('session.title')}
      </Title>
      {reason === 'missing' ? (
        <>
          <Text>{t('session.missing')}</Text>
          <code className={classes['example']}>{`${location.origin}/#token=…`}</code>
        </>
      ) : (
        <Callout tone={reason === 'ended' ? 'warn' : 'bad'} title={t(`session.${reason}`)}>
          {t(`session.${reason}How`)}
        </Callout>
      )}
      <PasswordInput
        label={t('session.pasteLabel')}
        size="lg"
        value={pasted}
        onChange={(event) => setPasted(event.currentTarget.value)}
        autoComplete="off"
        rightSectionWidth={52}
        classNames={{ visibilityToggle: classes['eye'] ?? '' }}
        visibilityToggleButtonProps={{ 'aria-label': t('session.showToken') }}
        data-autofocus
      />
      <Button type="submit" size="lg" loading={busy} disabled={pasted.trim() === ''}>
        {t('session.submit')}
      </Button>
    </form>
  )
}

function Waiting({ state }: { state: 'opening' | 'unreachable' }) {
  const { t } = useTranslation()
  useEffect(() => {
    if (state !== 'unreachable') return
    const timer = setInterval(() => void startSession(), 2000)
    return () => clearInterval(timer)
  }, [state])

  if (state === 'opening') return <Loader aria-label={t('session.opening')} className={classes['opening'] ?? ''} />
  return (
    <div className={classes['form']} role="alert">
      <IconPlugConnectedX size={40} aria-hidden />
      <Title order={1} size="h2">
        {t('session.unreachableTitle')}
      </Title>
      <Text>{t('session.unreachableText')}</Text>
      <Loader type="dots" />
    </div>
  )
}
