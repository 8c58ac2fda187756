import { Button, Loader, Skeleton, Title } from '@mantine/core'
import { IconFilterOff, IconPhoto } from '@tabler/icons-react'
import { useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { useCallback, useMemo, useState } from 'react'
import { useTranslation } from 'react-i18next'
import { EmptyNotice } from '../../components/EmptyNotice.tsx'
import { QueryFailure } from '../../components/QueryFailure.tsx'
import { useMay } from '../../lib/use-may.ts'
import { AssetFilters } from './AssetFilters.tsx'
import { AssetGrid } from './AssetGrid.tsx'
import classes from './AssetsScreen.module.css'
import { type AssetSearch, isFiltered } from './asset-search.ts'
import { assetFacetsQuery, useAssetList } from './assets.queries.ts'
import { namesOfDevices } from './device-names.ts'
import { useBinAsset } from './use-bin-asset.ts'

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
  return (
    <div className={classes['screen']}>
      <header className={classes['head']}>
        <Title order={1} className={classes['title']}>
          {t('assets.title')}
        </Title>
        <AssetFilters search={search} onChange={onSearch} />
      </header>
      {/* Another list starts at its top. */}
      <AssetList
        key={`${search.kind} ${search.day} ${search.device}`}
        search={search}
        onSearch={onSearch}
        openId={openId}
        onOpen={onOpen}
      />
    </div>
  )
}

function AssetList({
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
  const { list, assets } = useAssetList(search)
  const devices = useQuery(assetFacetsQuery).data?.devices
  const deviceNames = useMemo(
    () => (search.device === undefined && devices && devices.length > 1 ? namesOfDevices(devices) : null),
    [search.device, devices]
  )
  const { bin } = useBinAsset()
  const mayBin = useMay('operator')
  const [chosenId, setChosenId] = useState<string | null>(null)
  const [lastOpenId, setLastOpenId] = useState(openId)
  if (openId !== lastOpenId) {
    setLastOpenId(openId)
    if (openId !== null) setChosenId(openId)
  }

  const { hasNextPage, isFetchingNextPage, isFetchNextPageError, fetchNextPage } = list
  const loadMore = useCallback(() => {
    if (hasNextPage && !isFetchingNextPage && !isFetchNextPageError) void fetchNextPage()
  }, [hasNextPage, isFetchingNextPage, isFetchNextPageError, fetchNextPage])

  if (list.isPending) return <GridSkeleton />
  if (list.data === undefined) return <QueryFailure error={list.error} retry={() => void list.refetch()} />
  if (assets.length === 0 && !hasNextPage)
    return isFiltered(search) ? (
      <EmptyNotice
        icon={IconFilterOff}
        title={t('assets.nothingTitle')}
        text={t('assets.nothingText')}
        action={<Button onClick={() => onSearch({})}>{t('assets.clear')}</Button>}
      />
    ) : (
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

  return (
    <AssetGrid
      assets={assets}
      devices={deviceNames}
      activeId={chosenId}
      covered={openId !== null}
      onActivate={setChosenId}
      onOpen={onOpen}
      onBin={mayBin ? (asset) => void bin(asset) : undefined}
      onNearEnd={loadMore}
      footer={
        <div className={classes['foot']} role="status">
          {isFetchingNextPage ? (
            <>
              <Loader size="sm" /> {t('assets.more')}
            </>
          ) : isFetchNextPageError ? (
            <>
              {t('assets.moreFailed')}
              <Button variant="default" onClick={() => void fetchNextPage()}>
                {t('app.retry')}
              </Button>
            </>
          ) : (
            !hasNextPage && t('assets.end')
          )}
        </div>
      }
    />
  )
}

function GridSkeleton() {
  return (
    <div className={classes['skeleton']} aria-busy="true">
      {Array.from({ length: 12 }, (_, index) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: placeholders have no identity
        <Skeleton key={index} height={180} radius="md" />
      ))}
    </div>
  )
}
