import { useTranslation } from 'react-i18next'
import type { AssetDetail } from '../../../../shared/api/assets.ts'
import { CopyText } from '../../components/CopyText.tsx'
import { useFormats } from '../../lib/format.ts'
import { Fact, Facts, Panel } from './Facts.tsx'

/** The file as it is stored. */
export function FilePanel({ asset }: { asset: AssetDetail }) {
  const { t } = useTranslation()
  const formats = useFormats()
  const { width, height, durationMs, capture } = asset
  const pixelsText = (pixels: number) =>
    t('inspector.megapixels', { count: Number((pixels / 1e6).toFixed(1)), amount: formats.megapixels(pixels) })
  return (
    <Panel title={t('inspector.file')}>
      <Facts>
        <Fact name={t('inspector.size')}>{formats.bytes(asset.sizeBytes)}</Fact>
        <Fact name={t('inspector.dimensions')}>
          {width !== null && height !== null && `${width} × ${height} (${pixelsText(width * height)})`}
        </Fact>
        <Fact name={t('inspector.duration')}>{durationMs !== null && formats.clock(durationMs)}</Fact>
        <Fact name={t('inspector.codec')}>
          {[
            capture.videoCodec,
            capture.frameRate !== null && t('inspector.frameRate', { rate: formats.number(capture.frameRate, 2) })
          ]
            .filter(Boolean)
            .join('\u00a0· ')}
        </Fact>
        <Fact name={t('inspector.type')}>{asset.mimeType}</Fact>
        <Fact name={t('inspector.received')}>{formats.dateTime(asset.receivedAt)}</Fact>
        <Fact name={t('inspector.copies')}>
          {asset.copies > 1 ? t('inspector.copiesMany', { count: asset.copies }) : t('inspector.copiesOne')}
        </Fact>
        <Fact name={t('inspector.folder')}>{asset.path}</Fact>
        <Fact name={t('inspector.checksum')} wide>
          {asset.sha256 === null ? t('inspector.checksumPending') : <CopyText text={asset.sha256} />}
        </Fact>
        <Fact name={t('inspector.objectKey')} wide>
          <CopyText text={asset.objectKey} />
        </Fact>
      </Facts>
    </Panel>
  )
}
