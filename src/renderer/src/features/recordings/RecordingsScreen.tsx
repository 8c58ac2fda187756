import { Button, NativeSelect, Skeleton } from '@mantine/core'
import { IconMovieOff, IconVideo, IconVideoOff } from '@tabler/icons-react'
import { useInfiniteQuery, useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { useEffect, useState } from 'react'
import { useTranslation } from 'react-i18next'
import { EmptyNotice } from '../../components/EmptyNotice.tsx'
import { Page } from '../../components/Page.tsx'
import { QueryFailure } from '../../components/QueryFailure.tsx'
import { sourcesQuery } from '../../lib/sources-query.ts'
import { ClipList } from './ClipList.tsx'
import { DayPicker, type RecordingDay } from './DayPicker.tsx'
import { DayView } from './DayView.tsx'
import { noMarks } from './playback-plan.ts'
import classes from './RecordingsScreen.module.css'
import type { Recorded } from './recorded.ts'
import { recordingDaysQuery, removedSourcesQuery } from './recordings.queries.ts'
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
  const removedSources = useQuery(removedSourcesQuery)
  const present = (sources.data?.items ?? []).map(({ id, name }): Recorded => ({ id, name, isRemoved: false }))
  const removed = (removedSources.data ?? []).map(
    ({ source_id: id, name }): Recorded => ({ id, name, isRemoved: true })
  )
  const all = [...present, ...removed]
  const source = sourceId === null ? sources.data && all[0] : all.find(({ id }) => id === sourceId)
  const missing = [sources, removedSources].find(({ data }) => data === undefined)
  return (
    <Page
      title={t('recordings.title')}
      width="pictures"
      actions={
        <>
          {all.length > 0 && (
            <NativeSelect
              className={classes['stream']}
              aria-label={t('recordings.stream')}
              value={source?.id ?? ''}
              onChange={(event) => onGo(event.currentTarget.value, null)}
              data={[
                ...(source === undefined ? [{ value: '', label: '…' }] : []),
                ...present.map(optionOf),
                ...(removed.length === 0 ? [] : [{ group: t('recordings.removed'), items: removed.map(optionOf) }])
              ]}
            />
          )}
          {source && !source.isRemoved && (
            <Button
              component={Link}
              variant="default"
              to={`/live/${source.id}`}
              leftSection={<IconVideo size={22} aria-hidden />}
            >
              {t('recordings.live')}
            </Button>
          )}
        </>
      }
    >
      {source ? (
        <SourceRecordings key={source.id} source={source} day={day} onDay={(next) => onGo(source.id, next)} />
      ) : missing?.isPending ? (
        <Skeleton height={320} radius="lg" />
      ) : missing ? (
        <QueryFailure error={missing.error} retry={() => void missing.refetch()} />
      ) : (
        <NoSource isGone={sourceId !== null} />
      )}
    </Page>
  )
}

const optionOf = ({ id, name }: Recorded) => ({ value: id, label: name })

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
  source: Recorded
  day: string | null
  onDay: (day: string) => void
}) {
  const { t } = useTranslation()
  // A clip may begin on one day and end on the next.
  const [marks, setMarks] = useState(noMarks)
  const list = useInfiniteQuery(recordingDaysQuery(source.id))
  const days = list.data?.pages.flatMap(({ items }) => items) ?? []
  const earlier = list.data?.pages.at(-1)?.earlier ?? null
  const shown = day ?? days[0]?.day
  const { hasNextPage, isFetching, isFetchNextPageError: hasFailed, fetchNextPage } = list
  // Whoever goes on to an earlier day than is known yet has to see how much there is of it.
  const isUnknown = shown !== undefined && earlier !== null && shown <= earlier
  useEffect(() => {
    if (isUnknown && hasNextPage && !isFetching && !hasFailed) void fetchNextPage()
  }, [isUnknown, hasNextPage, isFetching, hasFailed, fetchNextPage])
  if (list.isPending) return <Skeleton height={320} radius="lg" />
  if (list.data === undefined) return <QueryFailure error={list.error} retry={() => void list.refetch()} />
  return (
    <>
      {shown === undefined ? (
        <EmptyNotice
          icon={IconMovieOff}
          title={t('recordings.nothingTitle')}
          text={t('recordings.nothingText', { record: t('live.start') })}
          action={
            source.isRemoved ? null : (
              <Button component={Link} to={`/live/${source.id}`}>
                {t('recordings.live')}
              </Button>
            )
          }
        />
      ) : (
        <>
          <DayPicker days={days} earlier={earlier} day={shown} onDay={onDay} />
          <DayView key={shown} source={source} bounds={boundsOf(days, shown)} marks={marks} onMarks={setMarks} />
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
