import { Button } from '@mantine/core'
import { useInfiniteQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import type { AssetDetail } from '../../../../shared/api/assets.ts'
import { QueryFailure } from '../../components/QueryFailure.tsx'
import { ShowMore } from '../../components/ShowMore.tsx'
import { useFormats } from '../../lib/format.ts'
import classes from './ReferenceList.module.css'
import { ReferenceList } from './ReferenceList.tsx'
import { referencesQuery } from './references.queries.ts'

/** How many of them are shown before one asks for all. */
const firstShown = 5

/** Who uses an asset: the first few, then all of them a page at a time. */
export function AssetReferences({ asset }: { asset: AssetDetail }) {
  const { t } = useTranslation()
  const formats = useFormats()
  const [showsAll, setShowsAll] = useState(false)
  const { referenceTotal: count } = asset
  if (showsAll) return <AllReferences assetId={asset.id} />
  if (count === 0) return <p className={classes['muted']}>{t('inspector.referencesNone')}</p>
  return (
    <>
      <ReferenceList references={asset.references.slice(0, firstShown)} />
      {count > firstShown && (
        <Button variant="default" className={classes['more']} onClick={() => setShowsAll(true)}>
          {t('references.showAll', { count, amount: formats.number(count) })}
        </Button>
      )}
    </>
  )
}

function AllReferences({ assetId }: { assetId: string }) {
  const { t } = useTranslation()
  const list = useInfiniteQuery(referencesQuery(assetId, { onlyHolding: false }))
  if (list.isPending) return <p className={classes['muted']}>{t('app.loading')}</p>
  if (list.data === undefined) return <QueryFailure error={list.error} retry={() => void list.refetch()} />
  return (
    <>
      <ReferenceList references={list.data.pages.flatMap(({ items }) => items)} />
      <ShowMore list={list} />
    </>
  )
}
