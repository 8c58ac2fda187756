import { Button, NativeSelect, Switch, TextInput } from '@mantine/core'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { type SubmitEvent, useState } from 'react'
import { useTranslation } from 'react-i18next'
import { createSource, type MediaSource, updateSource } from '../../../../shared/api/sources.ts'
import { Callout } from '../../components/Callout.tsx'
import { ChoiceBar } from '../../components/ChoiceBar.tsx'
import { api } from '../../lib/api.ts'
import { invalidateSources } from '../../lib/sources-query.ts'
import { showToast } from '../../lib/toasts.ts'
import { faultsOf, hasCertificate, protocolOf } from './pull-address.ts'
import classes from './SourceForm.module.css'

const transports = ['automatic', 'tcp', 'udp'] as const
type Transport = (typeof transports)[number]
const longestName = 255
const longestUrl = 1024
/** Of the mutation that is pending while what was entered is on its way. */
export const saveSourceKey = ['saveSource']

/** What the form holds; `transport` is null where the present one stays. */
interface Draft {
  type: MediaSource['type']
  name: string
  url: string
  transport: Transport | null
  fingerprint: string
  onDemand: boolean
  record: boolean
}

function draftOf(source: MediaSource | null): Draft {
  return {
    type: source?.type ?? 'push',
    name: source?.name ?? '',
    url: source?.url ?? '',
    transport: source === null ? 'automatic' : null,
    fingerprint: '',
    onDemand: source?.on_demand ?? false,
    record: source?.record_enabled ?? false
  }
}

/** What differs from `source`, or all for a new one: an address with a hidden password must not be sent back. */
function changesOf(draft: Draft, source: MediaSource | null) {
  const { transport } = draft
  const name = draft.name.trim()
  const url = draft.url.trim()
  const isPull = draft.type === 'pull'
  const isRtsp = isPull && protocolOf(url) === 'rtsp'
  return {
    ...(name === source?.name ? {} : { name }),
    ...(draft.record === source?.record_enabled ? {} : { record_enabled: draft.record }),
    ...(isPull && url !== source?.url ? { url } : {}),
    ...(isPull && draft.onDemand !== source?.on_demand ? { on_demand: draft.onDemand } : {}),
    ...(isRtsp && transport !== null ? { rtsp_transport: transport } : {}),
    ...(isPull && hasCertificate(url) && draft.fingerprint.trim() !== ''
      ? { fingerprint: draft.fingerprint.trim().replaceAll(':', '') }
      : {})
  }
}

/** Asks for what a new stream needs, or what of `source` shall be another; `onSaved` gets what became of it. */
export function SourceForm({
  source,
  onCancel,
  onSaved
}: {
  source: MediaSource | null
  onCancel: () => void
  onSaved: (source: MediaSource) => void
}) {
  const { t } = useTranslation()
  const client = useQueryClient()
  const [draft, setDraft] = useState(() => draftOf(source))
  const [wasTried, setWasTried] = useState(false)
  const save = useMutation({
    mutationKey: saveSourceKey,
    mutationFn: () => {
      const changes = changesOf(draft, source)
      return source === null
        ? api.call(createSource, { body: { ...changes, name: draft.name.trim(), type: draft.type } })
        : api.call(updateSource, { params: { sourceId: source.id }, body: changes })
    },
    onSuccess: (saved) => {
      if (source !== null) showToast({ tone: 'info', text: t('live.form.saved', { name: saved.name }) })
      onSaved(saved)
    },
    onSettled: () => invalidateSources(client)
  })
  const isPull = draft.type === 'pull'
  const faults = {
    ...faultsOf(t, save.error),
    ...(wasTried && draft.name.trim() === '' ? { name: t('live.form.needName') } : {}),
    ...(wasTried && isPull && draft.url.trim() === '' ? { url: t('live.form.needUrl') } : {})
  }
  const set = (change: Partial<Draft>) => {
    setDraft({ ...draft, ...change })
    if (save.isError) save.reset()
  }
  const submit = (event: SubmitEvent) => {
    event.preventDefault()
    setWasTried(true)
    if (draft.name.trim() === '' || (isPull && draft.url.trim() === '') || save.isPending) return
    save.mutate()
  }
  return (
    <form className={classes['form']} onSubmit={submit} noValidate>
      {source === null && (
        <ChoiceBar
          label={t('live.form.type')}
          choices={[
            { value: 'push', label: t('live.form.push') },
            { value: 'pull', label: t('live.form.pull') }
          ]}
          value={draft.type}
          hint={t(isPull ? 'live.form.pullHow' : 'live.form.pushHow')}
          onChange={(type) => set({ type })}
        />
      )}
      <TextInput
        size="lg"
        label={t('live.form.name')}
        placeholder={t('live.form.namePlaceholder')}
        value={draft.name}
        maxLength={longestName}
        error={faults.name}
        data-autofocus
        onChange={(event) => set({ name: event.currentTarget.value })}
      />
      {isPull && <PullFields draft={draft} source={source} faults={faults} onChange={set} />}
      <Switch
        size="lg"
        label={t('live.form.record')}
        checked={draft.record}
        onChange={(event) => set({ record: event.currentTarget.checked })}
      />
      {faults.other && <Callout tone="bad" title={faults.other} />}
      <div className={classes['answers']}>
        <Button variant="default" size="lg" disabled={save.isPending} onClick={onCancel}>
          {t('live.form.cancel')}
        </Button>
        <Button type="submit" size="lg" loading={save.isPending}>
          {t(source === null ? 'live.form.create' : 'live.form.save')}
        </Button>
      </div>
    </form>
  )
}

/** What only a stream that is fetched has. */
function PullFields({
  draft,
  source,
  faults,
  onChange
}: {
  draft: Draft
  source: MediaSource | null
  faults: ReturnType<typeof faultsOf>
  onChange: (change: Partial<Draft>) => void
}) {
  const { t } = useTranslation()
  const protocol = protocolOf(draft.url)
  const hints = [
    t(`live.form.hint.${protocol ?? 'none'}`),
    ...(source === null ? [] : [t('live.form.urlSecret'), t('live.form.interrupts')])
  ]
  return (
    <>
      <TextInput
        size="lg"
        type="url"
        inputMode="url"
        autoComplete="off"
        autoCapitalize="none"
        spellCheck={false}
        label={t('live.form.url')}
        description={hints.join(' ')}
        inputWrapperOrder={['label', 'input', 'error', 'description']}
        value={draft.url}
        maxLength={longestUrl}
        error={faults.url}
        onChange={(event) => onChange({ url: event.currentTarget.value })}
      />
      {protocol === 'rtsp' && (
        <NativeSelect
          size="md"
          label={t('live.form.transport')}
          value={draft.transport ?? ''}
          onChange={({ currentTarget: { value } }) =>
            onChange({ transport: transports.find((known) => known === value) ?? null })
          }
          data={[
            ...(source === null ? [] : [{ value: '', label: t('live.form.transportAsIs') }]),
            ...transports.map((value) => ({ value, label: t(`live.form.transports.${value}`) }))
          ]}
        />
      )}
      {hasCertificate(draft.url) && (
        <TextInput
          size="md"
          autoComplete="off"
          spellCheck={false}
          label={t('live.form.fingerprint')}
          description={t('live.form.fingerprintHow')}
          value={draft.fingerprint}
          error={faults.fingerprint}
          onChange={(event) => onChange({ fingerprint: event.currentTarget.value })}
        />
      )}
      <Switch
        size="lg"
        label={t('live.form.onDemand')}
        description={t('live.form.onDemandHow')}
        checked={draft.onDemand}
        onChange={(event) => onChange({ onDemand: event.currentTarget.checked })}
      />
    </>
  )
}
