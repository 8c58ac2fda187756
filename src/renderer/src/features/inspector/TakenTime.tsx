import { Tooltip } from '@mantine/core'
import { useTranslation } from 'react-i18next'
import type { AssetDetail } from '../../../../shared/api/assets.ts'
import { useFormats } from '../../lib/format.ts'
import classes from './Facts.module.css'

/** When a picture was taken, by the clock of the place, with its zone; or by the camera's clock, saying that the zone is unknown. */
export function TakenTime({ asset }: { asset: AssetDetail }) {
  const { t } = useTranslation()
  const formats = useFormats()
  const { zoneOffset } = asset.capture
  if (asset.takenZoneKnown && zoneOffset !== null)
    return `${formats.wallClock(asset.takenLocal)} (UTC${zoneOffset === 'Z' ? '' : zoneOffset})`
  return (
    <>
      {formats.wallClock(asset.takenLocal)}{' '}
      <Tooltip label={t('inspector.zoneUnknownHint')} multiline w={260}>
        <span className={classes['badge']}>{t('inspector.zoneUnknown')}</span>
      </Tooltip>
    </>
  )
}
