import { Button, TextInput, Title } from '@mantine/core'
import { IconBracketsContainEnd, IconBracketsContainStart, IconScissors, IconX } from '@tabler/icons-react'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { type SubmitEvent, useState } from 'react'
import { useTranslation } from 'react-i18next'
import { cutClip } from '../../../../shared/api/recordings.ts'
import { api } from '../../lib/api.ts'
import { useFormats } from '../../lib/format.ts'
import { problemText } from '../../lib/problem-text.ts'
import { showToast } from '../../lib/toasts.ts'
import { useMay } from '../../lib/use-may.ts'
import classes from './ClipMaker.module.css'
import type { Marks } from './playback-plan.ts'
import { invalidateRecordings } from './recordings.queries.ts'
import { instantOf } from './timeline-view.ts'

const longestName = 255

/** Makes an asset of what lies between two marks; nothing for those who may not. */
export function ClipMaker({
  sourceId,
  marks,
  onMark,
  onClear
}: {
  sourceId: string
  marks: Marks
  onMark: (end: 'in' | 'out') => void
  onClear: () => void
}) {
  const { t } = useTranslation()
  const client = useQueryClient()
  const mayCut = useMay('operator')
  const [name, setName] = useState('')
  const cut = useMutation({
    mutationFn: (range: { start: string; end: string }) =>
      api.call(cutClip, {
        params: { sourceId },
        body: { ...range, ...(name.trim() === '' ? {} : { name: name.trim() }) }
      }),
    onSuccess: () => {
      showToast({ tone: 'info', text: t('recordings.clipBegun') })
      setName('')
      onClear()
    },
    onError: (error) => showToast({ tone: 'bad', text: t('recordings.clipFailed', { reason: problemText(t, error) }) }),
    onSettled: () => invalidateRecordings(client, sourceId)
  })
  if (!mayCut) return null
  const { inMs, outMs } = marks
  const submit = (event: SubmitEvent) => {
    event.preventDefault()
    if (inMs !== null && outMs !== null && !cut.isPending) cut.mutate({ start: instantOf(inMs), end: instantOf(outMs) })
  }
  return (
    <form className={classes['clip']} aria-labelledby="clip-maker" onSubmit={submit}>
      <Title order={2} size="h4" id="clip-maker">
        {t('recordings.clip')}
      </Title>
      <p className={classes['state']} role="status">
        <MarksText marks={marks} />
      </p>
      <div className={classes['marks']}>
        <Button
          variant="default"
          leftSection={<IconBracketsContainStart size={22} aria-hidden />}
          onClick={() => onMark('in')}
        >
          {t('recordings.markIn')}
        </Button>
        <Button
          variant="default"
          leftSection={<IconBracketsContainEnd size={22} aria-hidden />}
          onClick={() => onMark('out')}
        >
          {t('recordings.markOut')}
        </Button>
      </div>
      {inMs !== null && outMs !== null && (
        <TextInput
          size="md"
          label={t('recordings.clipName')}
          description={t('recordings.clipNameHint')}
          value={name}
          maxLength={longestName}
          onChange={(event) => setName(event.currentTarget.value)}
        />
      )}
      <div className={classes['marks']}>
        <Button
          type="submit"
          loading={cut.isPending}
          disabled={inMs === null || outMs === null}
          leftSection={<IconScissors size={22} aria-hidden />}
        >
          {t('recordings.makeClip')}
        </Button>
        {(inMs !== null || outMs !== null) && (
          <Button variant="default" leftSection={<IconX size={22} aria-hidden />} onClick={onClear}>
            {t('recordings.clearMarks')}
          </Button>
        )}
      </div>
      <p className={classes['hint']}>{t('recordings.keys')}</p>
    </form>
  )
}

function MarksText({ marks: { inMs, outMs } }: { marks: Marks }) {
  const { t } = useTranslation()
  const formats = useFormats()
  const timeOf = (timeMs: number) => formats.time(instantOf(timeMs))
  if (inMs !== null && outMs !== null)
    return t('recordings.marked', { from: timeOf(inMs), to: timeOf(outMs), duration: formats.clock(outMs - inMs) })
  if (inMs !== null) return t('recordings.markedFrom', { from: timeOf(inMs) })
  if (outMs !== null) return t('recordings.markedTo', { to: timeOf(outMs) })
  return t('recordings.clipHow')
}
