import { Button, Skeleton } from '@mantine/core'
import { IconPlus, IconVideo } from '@tabler/icons-react'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { EmptyNotice } from '../../components/EmptyNotice.tsx'
import { Page } from '../../components/Page.tsx'
import { QueryFailure } from '../../components/QueryFailure.tsx'
import { useMay } from '../../lib/use-may.ts'
import { LivePlayer } from './LivePlayer.tsx'
import classes from './LiveScreen.module.css'
import { ServerNotice } from './ServerNotice.tsx'
import { SourceDialogs } from './SourceDialogs.tsx'
import { SourceTile } from './SourceTile.tsx'
import type { OnSourceDialog, SourceDialog } from './source-dialog.ts'
import { useLiveSources } from './use-live-sources.ts'

/** The wall of streams, the player above it for the stream `openId`, and the dialogs above both. */
export function LiveScreen({ openId, onClose }: { openId: string | null; onClose: () => void }) {
  const [dialog, setDialog] = useState<SourceDialog | null>(null)
  return (
    <>
      <Wall isCovered={openId !== null} onDialog={setDialog} />
      {openId !== null && (
        <LivePlayer key={openId} sourceId={openId} covered={dialog !== null} onDialog={setDialog} onClose={onClose} />
      )}
      <SourceDialogs
        dialog={dialog}
        onDialog={setDialog}
        onDeleted={(id) => {
          setDialog(null)
          if (id === openId) onClose()
        }}
      />
    </>
  )
}

function Wall({ isCovered, onDialog }: { isCovered: boolean; onDialog: OnSourceDialog }) {
  const { t } = useTranslation()
  const { sources, items, isStale } = useLiveSources()
  const mayAdd = useMay('operator')
  return (
    <Page
      title={t('live.title')}
      titleStays
      width="pictures"
      actions={
        mayAdd &&
        items !== undefined &&
        items.length > 0 && (
          <Button leftSection={<IconPlus size={22} aria-hidden />} onClick={() => onDialog({ kind: 'add' })}>
            {t('live.add')}
          </Button>
        )
      }
    >
      {sources.data && <ServerNotice server={sources.data.server} />}
      {items === undefined ? (
        sources.isPending ? (
          <Skeleton height={280} radius="lg" />
        ) : (
          <QueryFailure error={sources.error} retry={() => void sources.refetch()} />
        )
      ) : items.length === 0 ? (
        <EmptyNotice
          icon={IconVideo}
          title={t('live.emptyTitle')}
          text={t(mayAdd ? 'live.emptyText' : 'live.emptyViewer')}
          action={
            mayAdd && (
              <Button
                size="lg"
                leftSection={<IconPlus size={22} aria-hidden />}
                onClick={() => onDialog({ kind: 'add' })}
              >
                {t('live.add')}
              </Button>
            )
          }
        />
      ) : (
        <section className={classes['wall']} aria-label={t('live.list')} data-stale={isStale || undefined}>
          {items.map((source) => (
            <SourceTile key={source.id} source={source} isCovered={isCovered} onDialog={onDialog} />
          ))}
        </section>
      )}
    </Page>
  )
}
