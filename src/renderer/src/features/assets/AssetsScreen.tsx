import { Button } from '@mantine/core'
import { IconFilterOff, IconPhoto } from '@tabler/icons-react'
import { useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { useMemo } from 'react'
import { useTranslation } from 'react-i18next'
import type { AssetSummary } from '../../../../shared/api/assets.ts'
import { EmptyNotice } from '../../components/EmptyNotice.tsx'
import { ScreenTitle } from '../../components/ScreenTitle.tsx'
import { assetFacetsQuery } from '../../lib/asset-query.ts'
import { useMay } from '../../lib/use-may.ts'
import { AssetFilters } from './AssetFilters.tsx'
import { AssetList } from './AssetList.tsx'
import classes from './AssetsScreen.module.css'
import { type AssetSearch, isFiltered } from './asset-search.ts'
import { useAssetList } from './assets.queries.ts'
import { namesOfDevices } from './device-names.ts'
import { useBinAsset } from './use-bin-asset.ts'

const takenDay = (asset: AssetSummary) => asset.takenDay

/**
 * The asset browser. `search` comes from the address and goes back there through `onSearch`; `openId` is the asset the inspector
 * shows, which stays the active tile after it closes.
 */
export function AssetsScreen({
  search,
  onSearch,
  openId,
  onOpen
}: {
  search: AssetSearch
  onSearch: (next: AssetSearch) => void
  openId: string | null
  onOpen: (assetId: string) => void
}) {
  const { t } = useTranslation()
  const found = useAssetList(search)
  const devices = useQuery(assetFacetsQuery).data?.devices
  const deviceNames = useMemo(
    () => (search.device === undefined && devices && devices.length > 1 ? namesOfDevices(devices) : null),
    [search.device, devices]
  )
  const { bin } = useBinAsset()
  const mayBin = useMay('operator')
  return (
    <div className={classes['screen']}>
      <header className={classes['head']}>
        <ScreenTitle>{t('assets.title')}</ScreenTitle>
        <AssetFilters search={search} onChange={onSearch} />
      </header>
      <AssetList
        // Another list starts at its top.
        key={JSON.stringify([search.kind, search.day, search.device, search.tag, search.text])}
        {...found}
        look={{
          label: t('assets.grid'),
          deleteHelp: t('assets.gridHelpBin'),
          dayOf: takenDay,
          devices: deviceNames,
          daysLeft: null
        }}
        openId={openId}
        onOpen={onOpen}
        onDelete={mayBin ? (asset) => void bin(asset) : undefined}
        empty={isFiltered(search) ? <NothingFound onClear={() => onSearch({})} /> : <NothingYet />}
      />
    </div>
  )
}

function NothingFound({ onClear }: { onClear: () => void }) {
  const { t } = useTranslation()
  return (
    <EmptyNotice
      icon={IconFilterOff}
      title={t('assets.nothingTitle')}
      text={t('assets.nothingText')}
      action={<Button onClick={onClear}>{t('assets.clear')}</Button>}
    />
  )
}

function NothingYet() {
  const { t } = useTranslation()
  return (
    <EmptyNotice
      icon={IconPhoto}
      title={t('assets.emptyTitle')}
      text={t('assets.emptyText')}
      action={
        <Button component={Link} to="/field">
          {t('assets.emptyAction')}
        </Button>
      }
    />
  )
}
