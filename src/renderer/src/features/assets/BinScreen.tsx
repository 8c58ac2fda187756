import { Button } from '@mantine/core'
import { IconTrash, IconTrashX } from '@tabler/icons-react'
import { Link } from '@tanstack/react-router'
import { useCallback, useState } from 'react'
import { useTranslation } from 'react-i18next'
import type { AssetSummary } from '../../../../shared/api/assets.ts'
import { EmptyNotice } from '../../components/EmptyNotice.tsx'
import { ScreenTitle } from '../../components/ScreenTitle.tsx'
import { daysLeftInBin, useBinDays } from '../../lib/bin-time.ts'
import { localDay } from '../../lib/format.ts'
import { useMay } from '../../lib/use-may.ts'
import { useNow } from '../../lib/use-now.ts'
import { AssetList } from './AssetList.tsx'
import classes from './AssetsScreen.module.css'
import { useAssetList } from './assets.queries.ts'
import { EmptyBinQuestion } from './EmptyBinQuestion.tsx'
import { PurgeQuestion } from './PurgeQuestion.tsx'

const binnedDay = (asset: AssetSummary) => localDay(asset.binnedAt ?? asset.takenAt)

/** What was removed and can still be brought back, by the day it was removed. `openId` is the asset the inspector shows. */
export function BinScreen({ openId, onOpen }: { openId: string | null; onOpen: (assetId: string) => void }) {
  const { t } = useTranslation()
  const found = useAssetList({ bin: true })
  const mayPurge = useMay('admin')
  const binDays = useBinDays()
  const now = useNow(60_000)
  const daysLeft = useCallback(
    ({ binnedAt }: AssetSummary) =>
      binDays === null || binnedAt === null ? null : daysLeftInBin(binnedAt, binDays, now),
    [binDays, now]
  )
  const [asking, setAsking] = useState<AssetSummary | 'all' | null>(null)
  const stopAsking = () => setAsking(null)
  return (
    <div className={classes['screen']}>
      <header className={classes['head']}>
        <ScreenTitle>{t('bin.title')}</ScreenTitle>
        <p className={classes['note']}>{binDays !== null && t('bin.kept', { count: binDays })}</p>
        {mayPurge && found.assets.length > 0 && (
          <Button variant="default" leftSection={<IconTrashX size={22} aria-hidden />} onClick={() => setAsking('all')}>
            {t('bin.empty')}
          </Button>
        )}
      </header>
      <AssetList
        {...found}
        look={{
          label: t('bin.grid'),
          deleteHelp: t('bin.gridHelpPurge'),
          dayOf: binnedDay,
          devices: null,
          daysLeft
        }}
        openId={openId}
        onOpen={onOpen}
        onDelete={mayPurge ? setAsking : undefined}
        empty={
          <EmptyNotice
            icon={IconTrash}
            title={t('bin.nothingTitle')}
            text={t('bin.nothingText')}
            action={
              <Button component={Link} to="/assets">
                {t('bin.nothingAction')}
              </Button>
            }
          />
        }
      />
      {asking === 'all' ? (
        <EmptyBinQuestion onClose={stopAsking} />
      ) : (
        asking !== null && <PurgeQuestion asset={asking} onClose={stopAsking} />
      )}
    </div>
  )
}
