import { Skeleton, Title } from '@mantine/core'
import { useInfiniteQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { useTranslation } from 'react-i18next'
import type { Clip } from '../../../../shared/api/recordings.ts'
import { ProgressBar } from '../../components/ProgressBar.tsx'
import { QueryFailure } from '../../components/QueryFailure.tsx'
import { ShowMore } from '../../components/ShowMore.tsx'
import { useFormats } from '../../lib/format.ts'
import { jobReasonText } from '../../lib/job-text.ts'
import classes from './RecordingList.module.css'
import { clipsQuery } from './recordings.queries.ts'

/** Clips and pictures that were made of a stream, newest first, each with the asset it became. */
export function ClipList({ sourceId }: { sourceId: string }) {
  const { t } = useTranslation()
  const clips = useInfiniteQuery(clipsQuery(sourceId))
  const items = clips.data?.pages.flatMap((page) => page.items) ?? []
  return (
    <section className={classes['section']} aria-labelledby="clips">
      <Title order={2} size="h4" id="clips">
        {t('recordings.clips')}
      </Title>
      {clips.isPending ? (
        <Skeleton height={56} radius="md" />
      ) : clips.data === undefined ? (
        <QueryFailure error={clips.error} retry={() => void clips.refetch()} />
      ) : items.length === 0 ? (
        <p className={classes['muted']}>{t('recordings.clipsNone')}</p>
      ) : (
        <ul className={classes['list']}>
          {items.map((clip) => (
            <ClipRow key={clip.id} clip={clip} />
          ))}
        </ul>
      )}
      <ShowMore list={clips} />
    </section>
  )
}

function ClipRow({ clip: { kind, state, start, end, problem, asset_id: assetId } }: { clip: Clip }) {
  const { t } = useTranslation()
  const formats = useFormats()
  const durationMs = Date.parse(end) - Date.parse(start)
  return (
    <li className={classes['row']} data-testid="clip" data-state={state}>
      <div className={classes['what']}>
        <strong>
          {t(`recordings.clipKind.${kind}`)} · {formats.dateTime(start)}
        </strong>
        {state === 'waiting' ? (
          <ProgressBar fraction={null} label={t('recordings.clipState.waiting')} />
        ) : (
          <span className={state === 'failed' ? classes['bad'] : classes['muted']}>
            {t(`recordings.clipState.${state}`)}
            {kind === 'clip' && ` · ${formats.clock(durationMs)}`}
          </span>
        )}
        {problem !== null && (
          <span className={classes['muted']}>
            {jobReasonText(t, problem)} {t('recordings.reported', { message: problem })}
          </span>
        )}
      </div>
      {assetId !== null && (
        <Link to="/assets/$assetId" params={{ assetId }} className={classes['link']}>
          {t('recordings.openAsset')}
        </Link>
      )}
    </li>
  )
}
