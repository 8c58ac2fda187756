import { Button } from '@mantine/core'
import { IconBroadcast } from '@tabler/icons-react'
import { Link } from '@tanstack/react-router'
import { useTranslation } from 'react-i18next'
import { z } from 'zod'
import type { AssetDetail } from '../../../../shared/api/assets.ts'
import { idSchema } from '../../../../shared/api/common.ts'
import classes from './Stage.module.css'

/** What the base notes about an asset that is a stream. */
const streamMetadataSchema = z.object({ source_id: idSchema })

/** An asset that is a stream: what it shows is to be seen in Live, and what was recorded of it in Recordings. */
export function StreamNotice({ asset }: { asset: AssetDetail }) {
  const { t } = useTranslation()
  const sourceId = streamMetadataSchema.safeParse(asset.metadata).data?.source_id
  return (
    <div className={classes['nothing']}>
      <IconBroadcast size={56} stroke={1.4} aria-hidden />
      <p>{t('inspector.isStream')}</p>
      {sourceId !== undefined && (
        <div className={classes['ways']}>
          <Button component={Link} to={`/live/${sourceId}`}>
            {t('inspector.watchLive')}
          </Button>
          <Button component={Link} to={`/recordings/${sourceId}`} variant="default">
            {t('inspector.toRecordings')}
          </Button>
        </div>
      )}
    </div>
  )
}
