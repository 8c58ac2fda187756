import { Button } from '@mantine/core'
import { IconArrowBackUp } from '@tabler/icons-react'
import { useEffect, useRef } from 'react'
import { useTranslation } from 'react-i18next'
import type { StoreSettings } from '../../../../shared/api/settings.ts'
import { Verdict } from '../../components/Verdict.tsx'
import { desktop } from '../../lib/desktop.ts'
import { StaysBehind } from './StaysBehind.tsx'
import { useRevertStore } from './use-store-settings.ts'

/** Says that what was chosen waits for a restart, what that means for what is kept, and takes it back. */
export function StoreRestart({ settings }: { settings: StoreSettings }) {
  const { t } = useTranslation()
  const revert = useRevertStore()
  const { place } = settings.present
  const box = useRef<HTMLDivElement>(null)
  // It appears above a form whose end was pressed.
  useEffect(() => {
    box.current?.scrollIntoView({ block: 'nearest' })
  }, [])
  return (
    <div ref={box}>
      <Verdict tone="warn" text={t('settings.store.restartTitle')}>
        <p>{t(desktop ? 'settings.store.restartDesktop' : 'settings.store.restart', { place })}</p>
        {settings.movesAway && settings.assetTotal > 0 && <StaysBehind settings={settings} />}
        <Button
          mt="sm"
          variant="default"
          leftSection={<IconArrowBackUp size={22} aria-hidden />}
          loading={revert.isPending}
          onClick={() => revert.mutate()}
        >
          {t('settings.store.undo')}
        </Button>
      </Verdict>
    </div>
  )
}
