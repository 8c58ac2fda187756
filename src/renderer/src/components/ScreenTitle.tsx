import { Title } from '@mantine/core'
import classes from './ScreenTitle.module.css'

/**
 * What a screen is called. In a narrow window it is not seen, unless it `stays`: the navigation says where one is, and the room is
 * needed.
 */
export function ScreenTitle({ children, stays = false }: { children: string; stays?: boolean }) {
  return (
    <Title order={1} className={classes['title']} data-stays={stays || undefined}>
      {children}
    </Title>
  )
}
