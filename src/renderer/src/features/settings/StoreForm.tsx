import { Button, NativeSelect, TextInput } from '@mantine/core'
import { IconPlugConnected } from '@tabler/icons-react'
import { useMutation } from '@tanstack/react-query'
import { type SubmitEvent, useState } from 'react'
import { useTranslation } from 'react-i18next'
import { type StoreChoice, type StoreSettings, testStoreSettings } from '../../../../shared/api/settings.ts'
import { Callout } from '../../components/Callout.tsx'
import { ChoiceBar } from '../../components/ChoiceBar.tsx'
import { Details } from '../../components/Details.tsx'
import { Section } from '../../components/Section.tsx'
import { api } from '../../lib/api.ts'
import { en } from '../../lib/i18n/en.ts'
import { problemText } from '../../lib/problem-text.ts'
import { ConnectionReport } from './ConnectionReport.tsx'
import { StaysBehind } from './StaysBehind.tsx'
import classes from './StoreForm.module.css'
import { changesOf, draftOf, faultsOf, isFixed, movesAway, reasonOf, type StoreDraft, withMode } from './store-draft.ts'
import { useChangeStore } from './use-store-settings.ts'

type ModeWord = keyof typeof en.settings.store.modes
type TextChoice = Exclude<StoreChoice, 'mode' | 'profile'>
type ProfileWord = keyof typeof en.settings.store.profiles

/** Asks where media is to be kept, tries it out, and saves it. */
export function StoreForm({ settings }: { settings: StoreSettings }) {
  const { t } = useTranslation()
  const [draft, setDraft] = useState(() => draftOf(settings))
  const save = useChangeStore()
  const test = useMutation({
    mutationFn: () => api.call(testStoreSettings, { body: changesOf(draft, settings) })
  })
  const changes = changesOf(draft, settings)
  const isElsewhere = draft.mode !== 'embedded'
  const error = save.error ?? test.error
  const faults = faultsOf(t, error)
  const reason = reasonOf(t, error)
  const set = (choice: StoreChoice, value: string) => {
    setDraft(choice === 'mode' ? withMode(draft, settings, value) : { ...draft, [choice]: value })
    save.reset()
    test.reset()
  }
  const submit = (event: SubmitEvent) => {
    event.preventDefault()
    // Keys that were entered are not kept in sight.
    if (!save.isPending) save.mutate(changes, { onSuccess: (saved) => setDraft(draftOf(saved)) })
  }
  const field = (choice: TextChoice) => ({ choice, draft, settings, error: faults[choice], onChange: set })
  return (
    <Section title={t('settings.store.title')}>
      <form className={classes['form']} onSubmit={submit} noValidate>
        <ModeField settings={settings} mode={draft.mode} onChange={(mode) => set('mode', mode)} />
        {isElsewhere && (
          <>
            <NativeSelect
              size="md"
              label={t('settings.store.profile')}
              disabled={isFixed(settings, 'profile')}
              description={<Origin settings={settings} choice="profile" />}
              inputWrapperOrder={['label', 'input', 'error', 'description']}
              value={draft.profile}
              onChange={(event) => set('profile', event.currentTarget.value)}
              data={settings.profiles.map((value) => ({
                value,
                label: Object.hasOwn(en.settings.store.profiles, value)
                  ? t(`settings.store.profiles.${value as ProfileWord}`)
                  : value
              }))}
            />
            <Field {...field('endpoint')} type="url" />
            <Field {...field('bucket')} />
            <Field {...field('region')} />
            <Field {...field('accessKey')} isKey />
            <Field {...field('secretKey')} isKey isHidden />
          </>
        )}
        <Field
          {...field('publicEndpoint')}
          type="url"
          hint={t(`settings.store.${draft.mode === 'external' ? 'publicEndpointHow' : 'publicEndpointHereHow'}`)}
        />
        {movesAway(draft, settings) && settings.assetTotal > 0 && (
          <Callout tone="warn" title={t('settings.store.restartTitle')}>
            <StaysBehind settings={settings} />
          </Callout>
        )}
        {error !== null && Object.keys(faults).length === 0 && (
          <Callout tone="bad" title={reason?.text ?? problemText(t, error)}>
            {reason?.reported && <Details summary={t('settings.connection.reported')} lines={[reason.reported]} />}
          </Callout>
        )}
        {isElsewhere && <ConnectionReport isTesting={test.isPending} steps={test.data?.steps ?? null} />}
        <div className={classes['answers']}>
          {isElsewhere && (
            <Button
              size="lg"
              variant="default"
              leftSection={<IconPlugConnected size={22} aria-hidden />}
              loading={test.isPending}
              onClick={() => test.mutate()}
            >
              {t('settings.store.test')}
            </Button>
          )}
          <Button type="submit" size="lg" loading={save.isPending} disabled={Object.keys(changes).length === 0}>
            {t('settings.store.save')}
          </Button>
        </div>
      </form>
    </Section>
  )
}

function ModeField({
  settings,
  mode,
  onChange
}: {
  settings: StoreSettings
  mode: string
  onChange: (mode: string) => void
}) {
  const { t } = useTranslation()
  const known = settings.modes.filter((each): each is ModeWord => Object.hasOwn(en.settings.store.modes, each))
  const chosen = known.find((each) => each === mode) ?? 'embedded'
  return (
    <ChoiceBar
      label={t('settings.store.mode')}
      choices={known.map((each) => ({ value: each, label: t(`settings.store.modes.${each}`) }))}
      value={chosen}
      hint={t(`settings.store.${chosen}How`)}
      disabled={isFixed(settings, 'mode')}
      onChange={onChange}
    >
      <Origin settings={settings} choice="mode" />
    </ChoiceBar>
  )
}

/** Says of a setting that cannot be changed here where it is set. */
function Origin({ settings, choice }: { settings: StoreSettings; choice: StoreChoice }) {
  const { t } = useTranslation()
  const { source, where } = settings.settings[choice]
  if (source === 'screen' || source === 'default') return null
  return <span data-testid="origin">{t(`settings.store.fixed.${source}`, { where: where ?? '' })}</span>
}

function Field({
  choice,
  draft,
  settings,
  error,
  onChange,
  type = 'text',
  hint,
  isKey = false,
  isHidden = false
}: {
  choice: TextChoice
  draft: StoreDraft
  settings: StoreSettings
  error: string | undefined
  onChange: (choice: StoreChoice, value: string) => void
  type?: 'text' | 'url'
  hint?: string
  isKey?: boolean
  isHidden?: boolean
}) {
  const { t } = useTranslation()
  const fixed = isFixed(settings, choice)
  const isSet = settings.settings[choice].isSet
  const told = hint ?? (isKey && isSet ? t('settings.store.keyHow') : undefined)
  return (
    <TextInput
      size="md"
      type={isHidden ? 'password' : type}
      autoComplete="off"
      autoCapitalize="none"
      spellCheck={false}
      label={t(`settings.store.${choice}`)}
      description={fixed ? <Origin settings={settings} choice={choice} /> : told}
      inputWrapperOrder={['label', 'input', 'error', 'description']}
      placeholder={isKey && isSet ? t('settings.store.keyIsSet') : undefined}
      disabled={fixed}
      value={draft[choice]}
      error={error}
      onChange={(event) => onChange(choice, event.currentTarget.value)}
    />
  )
}
