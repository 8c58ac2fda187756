import { Button, Loader } from '@mantine/core'
import type { ReactNode } from 'react'
import { useTranslation } from 'react-i18next'
import type { MediaSource } from '../../../../shared/api/sources.ts'
import { FullView } from '../../components/FullView.tsx'
import { QueryFailure } from '../../components/QueryFailure.tsx'
import { useFormats } from '../../lib/format.ts'
import classes from './LivePlayer.module.css'
import { RecordControl } from './RecordControl.tsx'
import { ServerNotice } from './ServerNotice.tsx'
import { SourceMenu } from './SourceMenu.tsx'
import { StreamFacts } from './StreamFacts.tsx'
import { StreamStage } from './StreamStage.tsx'
import { StreamTrouble } from './StreamTrouble.tsx'
import type { OnSourceDialog } from './source-dialog.ts'
import { protocolName, truthOf } from './stream-truth.ts'
import { useLiveSources } from './use-live-sources.ts'

/** One stream, large and moving, above the wall. Escape closes it unless a dialog lies over it (`covered`). */
export function LivePlayer({
  sourceId,
  covered,
  onDialog,
  onClose
}: {
  sourceId: string
  covered: boolean
  onDialog: OnSourceDialog
  onClose: () => void
}) {
  const { t } = useTranslation()
  const { sources, items } = useLiveSources()
  const source = items?.find(({ id }) => id === sourceId)
  return (
    <FullView
      label={t('live.player.label', { name: source?.name ?? '' })}
      testId="live-player"
      covered={covered}
      onClose={onClose}
      bar={
        <>
          <h1 className={classes['name']}>{source?.name}</h1>
          {source && <Truth source={source} />}
          {source && <SourceMenu source={source} onDialog={onDialog} />}
        </>
      }
    >
      {source ? (
        <div className={classes['body']}>
          <div className={classes['stage']}>
            <StreamStage source={source} />
          </div>
          <div className={classes['panels']}>
            {sources.data && <ServerNotice server={sources.data.server} />}
            <RecordControl source={source} />
            <StreamTrouble source={source} />
            <Facts source={source} />
          </div>
        </div>
      ) : sources.isPending ? (
        <div className={classes['waiting']}>
          <Loader aria-label={t('app.loading')} />
        </div>
      ) : sources.data ? (
        <div className={classes['missing']} role="alert">
          <h2>{t('live.gone')}</h2>
          <p>{t('live.goneText')}</p>
          <Button onClick={onClose}>{t('live.back')}</Button>
        </div>
      ) : (
        <QueryFailure error={sources.error} retry={() => void sources.refetch()} />
      )}
    </FullView>
  )
}

function Truth({ source }: { source: MediaSource }) {
  const { t } = useTranslation()
  const { text, tone } = truthOf(source)
  return (
    <span className={classes['truth']} data-tone={tone} data-testid="player-truth">
      {t(`live.truth.${text}`)}
    </span>
  )
}

function Facts({ source }: { source: MediaSource }) {
  const { t } = useTranslation()
  const formats = useFormats()
  const { status, type, protocol, url, path_name: path } = source
  const readers = Object.entries(status?.readers_by_protocol ?? {})
  return (
    <section aria-label={t('live.player.facts')} className={classes['facts']}>
      <StreamFacts source={source} />
      <dl>
        {status?.available_since && (
          <Fact name={t('live.player.since')}>{formats.dateTime(status.available_since)}</Fact>
        )}
        <Fact name={t('live.player.type')}>{t(`live.player.types.${type}`, { protocol: protocolName(protocol) })}</Fact>
        {url !== null && <Fact name={t('live.player.address')}>{url}</Fact>}
        {readers.length > 0 && (
          <Fact name={t('live.player.readers')}>
            {formats.list(
              readers.map(([name, count]) =>
                t('live.player.readersBy', { amount: formats.number(count), protocol: protocolName(name) })
              )
            )}
          </Fact>
        )}
        <Fact name={t('live.player.path')}>{path}</Fact>
      </dl>
    </section>
  )
}

function Fact({ name, children }: { name: string; children: ReactNode }) {
  return (
    <>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </>
  )
}
