import { Title } from '@mantine/core'
import { useInViewport } from '@mantine/hooks'
import { IconVideoOff } from '@tabler/icons-react'
import { Link } from '@tanstack/react-router'
import { useId } from 'react'
import { useTranslation } from 'react-i18next'
import type { MediaSource } from '../../../../shared/api/sources.ts'
import { useFormats } from '../../lib/format.ts'
import { useNow } from '../../lib/use-now.ts'
import { RecordControl } from './RecordControl.tsx'
import { SourceMenu } from './SourceMenu.tsx'
import classes from './SourceTile.module.css'
import { StreamFacts } from './StreamFacts.tsx'
import { StreamTrouble } from './StreamTrouble.tsx'
import type { OnSourceDialog } from './source-dialog.ts'
import { type StreamTruth, truthOf } from './stream-truth.ts'
import { useSnapshot } from './use-snapshot.ts'

/** From here on the age of a picture is told. */
const freshMs = 10_000

/**
 * One stream on the wall: its latest picture, what is true of it, its recording, and what can be done with it. No picture is fetched
 * while something lies over the wall (`isCovered`).
 */
export function SourceTile({
  source,
  isCovered,
  onDialog
}: {
  source: MediaSource
  isCovered: boolean
  onDialog: OnSourceDialog
}) {
  const { t } = useTranslation()
  const truth = truthOf(source)
  const headingId = useId()
  const truthId = useId()
  const driftId = useId()
  return (
    <article className={classes['tile']} aria-labelledby={headingId} data-testid="source" data-tone={truth.tone}>
      <Link
        to="/live/$sourceId"
        params={{ sourceId: source.id }}
        className={classes['picture']}
        aria-label={t('live.watch', { name: source.name })}
        aria-describedby={`${truthId} ${driftId}`}
      >
        <Picture source={source} truth={truth} isCovered={isCovered} />
        <span className={classes['badges']}>
          <span id={truthId} className={classes['badge']} data-tone={truth.tone} data-testid="source-truth">
            {t(`live.truth.${truth.text}`)}
          </span>
          {source.drift !== null && truth.text !== 'missing' && (
            <span id={driftId} className={classes['drift']} data-testid="source-drift">
              {t(`live.drift.${source.drift}`)}
            </span>
          )}
        </span>
      </Link>
      <div className={classes['body']}>
        <div className={classes['head']}>
          <Title order={2} size="h4" id={headingId} className={classes['name']}>
            {source.name}
          </Title>
          <SourceMenu source={source} onDialog={onDialog} />
        </div>
        <StreamTrouble source={source} />
        <StreamFacts source={source} />
        <RecordControl source={source} />
      </div>
    </article>
  )
}

function Picture({ source, truth, isCovered }: { source: MediaSource; truth: StreamTruth; isCovered: boolean }) {
  const { t } = useTranslation()
  const formats = useFormats()
  const now = useNow(5000)
  const { ref, inViewport } = useInViewport()
  const { url, takenAt } = useSnapshot(source.id, { isLive: truth.text === 'live', isSeen: inViewport && !isCovered })
  const isOld = takenAt !== null && now - Date.parse(takenAt) > freshMs
  return (
    <span ref={ref} className={classes['frame']} data-old={isOld || undefined}>
      {url === null ? (
        <span className={classes['none']}>
          <IconVideoOff size={40} stroke={1.5} aria-hidden />
          {t('live.noPicture')}
        </span>
      ) : (
        <img src={url} alt={t('live.pictureOf', { name: source.name })} />
      )}
      {url !== null && isOld && (
        <span className={classes['age']}>{t('live.pictureAge', { ago: formats.ago(takenAt, now) })}</span>
      )}
    </span>
  )
}
