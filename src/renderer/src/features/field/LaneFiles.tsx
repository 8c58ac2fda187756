import { Button } from '@mantine/core'
import {
  IconAlertTriangle,
  IconChevronDown,
  IconChevronRight,
  IconCircleCheck,
  IconCircleDashed,
  IconCopyCheck,
  IconDownload
} from '@tabler/icons-react'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import type { z } from 'zod'
import type { laneFileSchema } from '../../../../shared/api/field.ts'
import { AssetLink } from '../../components/AssetLink.tsx'
import { FileName } from '../../components/FileName.tsx'
import { useFormats } from '../../lib/format.ts'
import classes from './LaneFiles.module.css'
import { laneErrorText } from './lane-error.ts'

type LaneFile = z.infer<typeof laneFileSchema>

const firstTroubled = 5

const stateIcons = {
  waiting: IconCircleDashed,
  uploading: IconDownload,
  uploaded: IconCircleCheck,
  skipped: IconCopyCheck,
  failed: IconAlertTriangle,
  damaged: IconAlertTriangle
} as const

/** The failed and damaged files of a lane, never hidden: the first few, and all behind a button. `total` counts also those not given. */
export function TroubledFiles({ files, total }: { files: readonly LaneFile[]; total: number }) {
  const { t } = useTranslation()
  const [all, setAll] = useState(false)
  if (files.length === 0) return null
  const shown = all ? files : files.slice(0, firstTroubled)
  return (
    <section className={classes['files']} aria-label={t('field.troubled')} data-testid="lane-troubled">
      <strong>{t('field.troubled')}</strong>
      <FileRows files={shown} />
      {shown.length < files.length ? (
        <Button variant="subtle" onClick={() => setAll(true)}>
          {t('field.troubledAll', { count: total })}
        </Button>
      ) : (
        files.length < total && <p>{t('field.troubledMore', { count: total - files.length })}</p>
      )}
    </section>
  )
}

/** The latest other files of a lane, newest first, behind a button that opens them. */
export function LaneFiles({ files, openByDefault }: { files: readonly LaneFile[]; openByDefault: boolean }) {
  const { t } = useTranslation()
  const [chosen, setChosen] = useState<boolean | null>(null)
  const open = chosen ?? openByDefault
  if (files.length === 0) return null
  return (
    <section className={classes['files']} aria-label={t('field.recent')}>
      <Button
        variant="subtle"
        aria-expanded={open}
        leftSection={open ? <IconChevronDown size={20} aria-hidden /> : <IconChevronRight size={20} aria-hidden />}
        onClick={() => setChosen(!open)}
      >
        {t('field.recent')}
      </Button>
      {open && <FileRows files={files} />}
    </section>
  )
}

function FileRows({ files }: { files: readonly LaneFile[] }) {
  return (
    <ul>
      {files.map((file) => (
        <LaneFileRow key={`${file.name} ${file.updatedAt}`} file={file} />
      ))}
    </ul>
  )
}

function LaneFileRow({ file }: { file: LaneFile }) {
  const { t } = useTranslation()
  const formats = useFormats()
  const state = file.state !== 'failed' && file.damage !== null ? 'damaged' : file.state
  const StateIcon = stateIcons[state]
  return (
    <li className={classes['row']} data-state={state}>
      <StateIcon size={22} className={classes['icon']} aria-hidden />
      <span className={classes['name']}>
        {file.assetId === null ? <FileName name={file.name} /> : <AssetLink assetId={file.assetId} name={file.name} />}
        {state === 'failed' && file.error !== null && (
          <span className={classes['why']}>{laneErrorText(t, file.error)}</span>
        )}
        {state === 'damaged' && file.damage !== null && (
          <span className={classes['why']}>{t(`media.damage.${file.damage}`)}</span>
        )}
      </span>
      <span className={classes['size']}>{file.sizeBytes === null ? '' : formats.bytes(file.sizeBytes)}</span>
      <span className={classes['state']}>{t(`field.fileState.${state}`)}</span>
      <time className={classes['time']} dateTime={file.updatedAt}>
        {formats.time(file.updatedAt)}
      </time>
    </li>
  )
}
