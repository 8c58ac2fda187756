import { Button, Skeleton } from '@mantine/core'
import { IconLock } from '@tabler/icons-react'
import { useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { useTranslation } from 'react-i18next'
import type { Storage } from '../../../../shared/api/storage.ts'
import { scarceBytes } from '../../../../shared/api/system.ts'
import { Details } from '../../components/Details.tsx'
import { EmptyNotice } from '../../components/EmptyNotice.tsx'
import { Page } from '../../components/Page.tsx'
import { QueryFailure } from '../../components/QueryFailure.tsx'
import { Verdict } from '../../components/Verdict.tsx'
import { useFormats } from '../../lib/format.ts'
import { statusQuery } from '../../lib/status-query.ts'
import { DamagedCard } from './DamagedCard.tsx'
import { LinkCard } from './LinkCard.tsx'
import { NotConnectedCard } from './NotConnectedCard.tsx'
import { RefusedCard } from './RefusedCard.tsx'
import { RoomCard } from './RoomCard.tsx'
import { ScrubCard } from './ScrubCard.tsx'
import { storageQuery } from './storage.queries.ts'
import { UploadsCard } from './UploadsCard.tsx'

/** How it stands with the place where everything is kept: what is wrong first, then how much fits, then whether all of it is whole. */
export function StorageScreen() {
  const { t } = useTranslation()
  const { data: status } = useQuery(statusQuery)
  if (status === undefined) return <Skeleton height={240} radius="md" />
  if (status.workspaceIds !== null)
    return <EmptyNotice icon={IconLock} title={t('storage.forbiddenTitle')} text={t('storage.forbiddenText')} />
  return <Store />
}

function Store() {
  const { t } = useTranslation()
  const { data, isPending, error, refetch } = useQuery(storageQuery)
  return (
    <Page title={t('storage.title')}>
      {data ? (
        <>
          <Outcome storage={data} />
          {data.damagedAssets > 0 && <DamagedCard mode={data.mode} />}
          {data.notConnected.length > 0 && <NotConnectedCard stores={data.notConnected} />}
          <RoomCard storage={data} />
          {data.mode !== 'embedded' && data.latencyMs !== null && <LinkCard storage={data} />}
          {data.scrub !== null && <ScrubCard scrub={data.scrub} storage={data} />}
          {data.usage !== null && data.usage.unfinishedUploads > 0 && <UploadsCard usage={data.usage} />}
          {data.refused.length > 0 && <RefusedCard refused={data.refused} />}
        </>
      ) : isPending ? (
        <Skeleton height={320} radius="md" />
      ) : (
        <QueryFailure error={error} retry={() => void refetch()} />
      )}
    </Page>
  )
}

/** The gravest there is to say, and what helps. */
function Outcome({ storage }: { storage: Storage }) {
  const { mode, trouble, reported, credentialsRefused, index, damagedAssets, disk, room } = storage
  const { t } = useTranslation()
  const formats = useFormats()
  if (trouble !== null)
    return (
      <Verdict tone="bad" text={t(`storage.trouble.${trouble}.what`)}>
        <p>
          {trouble === 'full' && mode !== 'embedded'
            ? t('storage.fullElsewhere')
            : t(`storage.trouble.${trouble}.help`)}
        </p>
        {reported !== null && <Details summary={t('storage.reported')} lines={[reported]} />}
      </Verdict>
    )
  if (credentialsRefused !== null)
    return (
      <Verdict tone="bad" text={t('storage.credentialsRefused')}>
        <p>{t('storage.trouble.refused.help')}</p>
        <Details summary={t('storage.reported')} lines={[credentialsRefused]} />
      </Verdict>
    )
  if (index !== null && index.problem !== null)
    return (
      <Verdict tone="bad" text={t('storage.indexDamaged')}>
        <Button component={Link} to="/doctor" variant="default">
          {t('doctor.see')}
        </Button>
        <Details summary={t('storage.reported')} lines={[index.problem]} />
      </Verdict>
    )
  if (damagedAssets > 0) {
    const amount = formats.number(damagedAssets)
    return <Verdict tone="bad" text={t('storage.damagedVerdict', { count: damagedAssets, amount })} />
  }
  const isScarce = room?.flights === 0 || (disk !== null && disk.availableBytes < scarceBytes)
  if (!isScarce) return <Verdict tone="ok" text={t('storage.well')} />
  return (
    <Verdict tone="warn" text={t('storage.almostFull')}>
      <p>{t('storage.trouble.full.help')}</p>
    </Verdict>
  )
}
