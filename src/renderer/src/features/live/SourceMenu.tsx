import { ActionIcon, Menu } from '@mantine/core'
import {
  IconBroadcast,
  IconDotsVertical,
  IconKey,
  IconMovie,
  IconPencil,
  IconPhotoPlus,
  IconPlayerPause,
  IconPlayerPlay,
  IconTrash
} from '@tabler/icons-react'
import { Link } from '@tanstack/react-router'
import { useRef } from 'react'
import { useTranslation } from 'react-i18next'
import type { MediaSource } from '../../../../shared/api/sources.ts'
import { useMay } from '../../lib/use-may.ts'
import type { OnSourceDialog } from './source-dialog.ts'
import { useSourceActions } from './use-source-actions.ts'

/** Whatever else can be done with a stream. */
export function SourceMenu({ source, onDialog }: { source: MediaSource; onDialog: OnSourceDialog }) {
  const { t } = useTranslation()
  const mayChange = useMay('operator')
  const { enable, makeAsset } = useSourceActions(source)
  const isPush = source.type === 'push'
  const target = useRef<HTMLButtonElement>(null)
  return (
    <Menu
      position="bottom-end"
      width={280}
      shadow="lg"
      transitionProps={{ duration: 0 }}
      // At once: a little later it would be taken away from a dialog that opens, and that could not give it back.
      returnFocus={false}
      onClose={() => target.current?.focus({ preventScroll: true })}
    >
      <Menu.Target>
        <ActionIcon ref={target} aria-label={t('live.menu', { name: source.name })}>
          <IconDotsVertical size={24} />
        </ActionIcon>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Item leftSection={<IconMovie size={22} aria-hidden />} component={Link} to={`/recordings/${source.id}`}>
          {t('live.act.recordings')}
        </Menu.Item>
        {mayChange && (
          <>
            {isPush && (
              <Menu.Item
                leftSection={<IconBroadcast size={22} aria-hidden />}
                onClick={() => onDialog({ kind: 'push', source, after: 'nothing' })}
              >
                {t('live.act.sendHow')}
              </Menu.Item>
            )}
            <Menu.Item leftSection={<IconPhotoPlus size={22} aria-hidden />} onClick={() => makeAsset.mutate()}>
              {t('live.act.makeAsset')}
            </Menu.Item>
            <Menu.Item
              leftSection={<IconPencil size={22} aria-hidden />}
              onClick={() => onDialog({ kind: 'edit', source })}
            >
              {t('live.act.edit')}
            </Menu.Item>
            <Menu.Item
              leftSection={
                source.enabled ? <IconPlayerPause size={22} aria-hidden /> : <IconPlayerPlay size={22} aria-hidden />
              }
              onClick={() => enable.mutate(!source.enabled)}
            >
              {t(source.enabled ? 'live.act.disable' : 'live.act.enable')}
            </Menu.Item>
            {isPush && (
              <Menu.Item
                leftSection={<IconKey size={22} aria-hidden />}
                onClick={() => onDialog({ kind: 'newKey', source })}
              >
                {t('live.act.newKey')}
              </Menu.Item>
            )}
            <Menu.Divider />
            <Menu.Item
              color="red.9"
              leftSection={<IconTrash size={22} aria-hidden />}
              onClick={() => onDialog({ kind: 'delete', source })}
            >
              {t('live.act.delete')}
            </Menu.Item>
          </>
        )}
      </Menu.Dropdown>
    </Menu>
  )
}
