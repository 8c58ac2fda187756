import { Button } from '@mantine/core'
import { IconDownload, IconMovie, IconMovieOff } from '@tabler/icons-react'
import { useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { type AssetDetail, getMedia } from '../../../../shared/api/assets.ts'
import { listRenditions, type RenditionStatus, requestRendition } from '../../../../shared/api/renditions.ts'
import { endpointUrl } from '../../../../shared/api-client.ts'
import { ProgressBar } from '../../components/ProgressBar.tsx'
import { api } from '../../lib/api.ts'
import { Player } from './Player.tsx'
import classes from './Stage.module.css'

const POLL_MS = 1000

/** A film in the version that every browser plays: how far it is, then the film, or why it cannot be had. */
export function PreparedFilm({ asset, poster }: { asset: AssetDetail; poster: string | undefined }) {
  const { t } = useTranslation()
  const { proxy, isRefused } = useProxy(asset.id)
  const [unplayable, setUnplayable] = useState(false)

  if (proxy?.state === 'ready' && !unplayable)
    return <Player name={asset.name} source={proxy.path} poster={poster} onUnplayable={() => setUnplayable(true)} />

  const isOver = unplayable || isRefused || (proxy !== undefined && !isUnderWay(proxy))
  const codec = asset.capture.videoCodec ?? t('inspector.videoUnknownCodec')
  return (
    <>
      {poster && <img src={poster} alt="" className={classes['poster']} />}
      <div className={classes['nothing']} role={isOver ? 'alert' : 'status'}>
        {isOver ? (
          <>
            <IconMovieOff size={56} stroke={1.4} aria-hidden />
            <p>{t('inspector.videoUnsupported', { codec })}</p>
            {proxy && <Reason proxy={proxy} />}
          </>
        ) : (
          <>
            <IconMovie size={56} stroke={1.4} aria-hidden />
            <p>{t('inspector.filmPreparing')}</p>
            <div className={classes['preparing']}>
              <ProgressBar fraction={proxy?.progress ?? null} label={t('inspector.filmPreparing')} />
            </div>
            <p className={classes['hint']}>
              {t(proxy?.state === 'queued' ? 'inspector.filmQueued' : 'inspector.filmHint', { codec })}
            </p>
          </>
        )}
        <Button
          component="a"
          variant={isOver ? 'filled' : 'default'}
          href={`${endpointUrl(getMedia.path, { params: { assetId: asset.id } })}?download=true`}
          download={asset.name}
          leftSection={<IconDownload size={22} aria-hidden />}
        >
          {t('inspector.download')}
        </Button>
      </div>
    </>
  )
}

function Reason({ proxy }: { proxy: RenditionStatus }) {
  const { t } = useTranslation()
  if (proxy.state === 'failed') return <p>{t('inspector.filmProblem.failed')}</p>
  if (proxy.problem === 'ffmpeg_missing' || proxy.problem === 'switched_off')
    return <p>{t(`inspector.filmProblem.${proxy.problem}`)}</p>
  return null
}

/** Has the proxy made before everything else, and watches it until it is there or given up. */
function useProxy(assetId: string): { proxy: RenditionStatus | undefined; isRefused: boolean } {
  const request = useQuery({
    queryKey: [requestRendition.name, assetId],
    queryFn: () => api.call(requestRendition, { params: { assetId }, body: { name: 'proxy', interactive: true } }),
    staleTime: Number.POSITIVE_INFINITY,
    gcTime: 0
  })
  const watched = useQuery({
    queryKey: [listRenditions.name, assetId],
    queryFn: async () => {
      const { items } = await api.call(listRenditions, { params: { assetId } })
      return items.find(({ name }) => name === 'proxy') ?? null
    },
    enabled: isUnderWay(request.data),
    refetchInterval: ({ state }) => (state.data === undefined || isUnderWay(state.data) ? POLL_MS : false),
    gcTime: 0
  })
  return { proxy: watched.data ?? request.data, isRefused: request.isError || watched.data === null }
}

const isUnderWay = (proxy: RenditionStatus | null | undefined): boolean =>
  proxy?.state === 'queued' || proxy?.state === 'running'
