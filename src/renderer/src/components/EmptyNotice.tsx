import { Text, Title } from '@mantine/core'
import type { Icon } from '@tabler/icons-react'
import type { ReactNode } from 'react'
import classes from './Notice.module.css'

/** What an empty place says: why it is empty and what to do about it. */
export function EmptyNotice({
  icon: NoticeIcon,
  title,
  text,
  action
}: {
  icon: Icon
  title: string
  text: string
  action?: ReactNode
}) {
  return (
    <div className={classes['notice']}>
      <NoticeIcon size={56} stroke={1.4} className={classes['muted']} aria-hidden />
      <Title order={2} size="h2">
        {title}
      </Title>
      <Text size="lg" className={classes['muted']}>
        {text}
      </Text>
      {action}
    </div>
  )
}
