import { Button, Loader, Skeleton } from '@mantine/core'
import { type ReactNode, useCallback, useEffect } from 'react'
import { useTranslation } from 'react-i18next'
import type { AssetSummary } from '../../../../shared/api/assets.ts'
import { QueryFailure } from '../../components/QueryFailure.tsx'
import { AssetGrid, type GridLook } from './AssetGrid.tsx'
import classes from './AssetList.module.css'
import type { useAssetList } from './assets.queries.ts'
import { useChosen } from './use-chosen.ts'

/** An asset list in its grid, loaded further as one goes on; or what stands in its place: while it loads, fails, is empty. */
export function AssetList({
  list,
  assets,
  look,
  openId,
  onOpen,
  onDelete,
  empty
}: ReturnType<typeof useAssetList> & {
  look: GridLook
  /** The asset that the inspector shows. */
  openId: string | null
  onOpen: (assetId: string) => void
  /** Left out for those who may not. */
  onDelete: ((asset: AssetSummary) => void) | undefined
  empty: ReactNode
}) {
  const { t } = useTranslation()
  const [chosenId, choose] = useChosen(assets, openId)

  const { hasNextPage, isFetchingNextPage, isFetchNextPageError, fetchNextPage } = list
  const loadMore = useCallback(() => {
    if (hasNextPage && !isFetchingNextPage && !isFetchNextPageError) void fetchNextPage()
  }, [hasNextPage, isFetchingNextPage, isFetchNextPageError, fetchNextPage])
  // Everything that was loaded has gone.
  useEffect(() => {
    if (assets.length === 0) loadMore()
  }, [assets.length, loadMore])

  if (list.isPending) return <GridSkeleton />
  if (list.data === undefined) return <QueryFailure error={list.error} retry={() => void list.refetch()} />
  if (assets.length === 0 && !hasNextPage) return empty

  return (
    <AssetGrid
      assets={assets}
      look={look}
      activeId={chosenId}
      covered={openId !== null}
      onActivate={choose}
      onOpen={onOpen}
      onDelete={onDelete}
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
