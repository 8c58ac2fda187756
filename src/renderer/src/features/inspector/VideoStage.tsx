import { useState } from 'react'
import { type AssetDetail, getMedia, getThumbnail } from '../../../../shared/api/assets.ts'
import { endpointUrl } from '../../../../shared/api-client.ts'
import { Player } from './Player.tsx'
import { PreparedFilm } from './PreparedFilm.tsx'

/** A film; one that the browser cannot play is prepared for it. */
export function VideoStage({ asset }: { asset: AssetDetail }) {
  const [unplayable, setUnplayable] = useState(false)
  const poster =
    asset.preview === 'ready'
      ? endpointUrl(getThumbnail.path, { params: { sizePx: 1024, assetId: asset.id } })
      : undefined
  if (unplayable) return <PreparedFilm asset={asset} poster={poster} />
  const source = endpointUrl(getMedia.path, { params: { assetId: asset.id } })
  return <Player name={asset.name} source={source} poster={poster} onUnplayable={() => setUnplayable(true)} />
}
