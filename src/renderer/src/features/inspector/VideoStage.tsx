import { Button } from '@mantine/core'
import { IconDownload, IconMovieOff } from '@tabler/icons-react'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { type AssetDetail, getMedia, getThumbnail } from '../../../../shared/api/assets.ts'
import { endpointUrl } from '../../../../shared/api-client.ts'
import classes from './Stage.module.css'

/** A film with the browser's own controls, which fetch by range; or why it does not play here. */
export function VideoStage({ asset }: { asset: AssetDetail }) {
  const { t } = useTranslation()
  const [unplayable, setUnplayable] = useState(false)
  const source = endpointUrl(getMedia.path, { params: { assetId: asset.id } })
  const poster =
    asset.preview === 'ready'
      ? endpointUrl(getThumbnail.path, { params: { sizePx: 1024, assetId: asset.id } })
      : undefined

  if (unplayable)
    return (
      <>
        {poster && <img src={poster} alt="" className={classes['poster']} />}
        <div className={classes['nothing']} role="alert">
          <IconMovieOff size={56} stroke={1.4} aria-hidden />
          <p>
            {t('inspector.videoUnsupported', {
              codec: asset.capture.videoCodec ?? t('inspector.videoUnknownCodec')
            })}
          </p>
          <Button
            component="a"
            href={`${source}?download=true`}
            download={asset.name}
            leftSection={<IconDownload size={22} aria-hidden />}
          >
            {t('inspector.download')}
          </Button>
        </div>
      </>
    )
  return (
    // biome-ignore lint/a11y/useMediaCaption: aerial footage carries no speech
    <video
      className={classes['video']}
      src={source}
      poster={poster}
      controls
      preload="metadata"
      playsInline
      aria-label={asset.name}
      onError={() => setUnplayable(true)}
      // A codec the browser lacks leaves the sound track playing over no picture.
      onLoadedMetadata={({ currentTarget: video }) => setUnplayable(video.videoWidth === 0)}
    />
  )
}
