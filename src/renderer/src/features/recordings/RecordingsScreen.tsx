import { Button, NativeSelect, Skeleton } from '@mantine/core'
import { IconMovieOff, IconVideo, IconVideoOff } from '@tabler/icons-react'
import { useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import type { MediaSource } from '../../../../shared/api/sources.ts'
import { EmptyNotice } from '../../components/EmptyNotice.tsx'
import { QueryFailure } from '../../components/QueryFailure.tsx'
import { ScreenTitle } from '../../components/ScreenTitle.tsx'
import { sourcesQuery } from '../../lib/sources-query.ts'
import { ClipList } from './ClipList.tsx'
import { DayPicker, type RecordingDay } from './DayPicker.tsx'
import { DayView } from './DayView.tsx'
import { noMarks } from './playback-plan.ts'
import classes from './RecordingsScreen.module.css'
import { recordingDaysQuery } from './recordings.queries.ts'
import { dayStretch, type Stretch } from './timeline-view.ts'

/**
 * What was recorded of a stream, day by day; of the first stream by name, and of its newest day, unless told otherwise. `onGo` leads to
 * another stream or day.
 */
export function RecordingsScreen({
  sourceId,
  day,
  onGo
}: {
  sourceId: string | null
  day: string | null
  onGo: (sourceId: string, day: string | null) => void
}) {
  const { t } = useTranslation()
  const sources = useQuery(sourcesQuery)
  const items = sources.data?.items ?? []
  const source = sourceId === null ? items[0] : items.find(({ id }) => id === sourceId)
  return (
    <div className={classes['page']}>
      <header className={classes['head']}>
        <ScreenTitle>{t('recordings.title')}</ScreenTitle>
        {items.length > 0 && (
          <NativeSelect
            className={classes['stream']}
            aria-label={t('recordings.stream')}
            value={source?.id ?? ''}
            onChange={(event) => onGo(event.currentTarget.value, null)}
            data={[
              ...(source === undefined ? [{ value: '', label: '…' }] : []),
              ...items.map(({ id, name }) => ({ value: id, label: name }))
            ]}
          />
        )}
        {source && (
          <Button
            component={Link}
            variant="default"
            to={`/live/${source.id}`}
            leftSection={<IconVideo size={22} aria-hidden />}
          >
            {t('recordings.live')}
          </Button>
        )}
      </header>
      {sources.isPending ? (
        <Skeleton height={320} radius="lg" />
      ) : sources.data === undefined ? (
        <QueryFailure error={sources.error} retry={() => void sources.refetch()} />
      ) : source ? (
        <SourceRecordings key={source.id} source={source} day={day} onDay={(next) => onGo(source.id, next)} />
      ) : (
        <NoSource isGone={sourceId !== null} />
      )}
    </div>
  )
}

function NoSource({ isGone }: { isGone: boolean }) {
  const { t } = useTranslation()
  return (
    <EmptyNotice
      icon={IconVideoOff}
      title={t(isGone ? 'recordings.gone' : 'recordings.noSourcesTitle')}
      text={isGone ? t('recordings.goneText') : t('recordings.noSourcesText', { record: t('live.start') })}
      action={
        <Button component={Link} to="/live">
          {t('recordings.goToLive')}
        </Button>
      }
    />
  )
}

function SourceRecordings({
  source,
  day,
  onDay
}: {
  source: MediaSource
  day: string | null
  onDay: (day: string) => void
}) {
  const { t } = useTranslation()
  // A clip may begin on one day and end on the next.
  const [marks, setMarks] = useState(noMarks)
  const days = useQuery(recordingDaysQuery(source.id))
  if (days.isPending) return <Skeleton height={320} radius="lg" />
  if (days.data === undefined) return <QueryFailure error={days.error} retry={() => void days.refetch()} />
  const shown = day ?? days.data[0]?.day
  return (
    <>
      {shown === undefined ? (
        <EmptyNotice
          icon={IconMovieOff}
          title={t('recordings.nothingTitle')}
          text={t('recordings.nothingText', { record: t('live.start') })}
          action={
            <Button component={Link} to={`/live/${source.id}`}>
              {t('recordings.live')}
            </Button>
          }
        />
      ) : (
        <>
          <DayPicker days={days.data} day={shown} onDay={onDay} />
          <DayView key={shown} source={source} bounds={boundsOf(days.data, shown)} marks={marks} onMarks={setMarks} />
        </>
      )}
      <ClipList sourceId={source.id} />
    </>
  )
}

/** From when to when a day lasts: by the clock of the base, as far as that is known. */
function boundsOf(days: readonly RecordingDay[], day: string): Stretch {
  const known = days.find((each) => each.day === day)
  return known === undefined ? dayStretch(day) : { startMs: Date.parse(known.start), endMs: Date.parse(known.end) }
}
