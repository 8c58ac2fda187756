import { Button } from '@mantine/core'
import { useTranslation } from 'react-i18next'
import classes from './ShowMore.module.css'

/** Fetches the next page of a list; not there when there is none. */
export function ShowMore({
  list
}: {
  list: { hasNextPage: boolean; isFetchingNextPage: boolean; fetchNextPage: () => unknown }
}) {
  const { t } = useTranslation()
  if (!list.hasNextPage) return null
  return (
    <Button
      variant="default"
      className={classes['button']}
      loading={list.isFetchingNextPage}
      onClick={() => void list.fetchNextPage()}
    >
      {t('app.showMore')}
    </Button>
  )
}
