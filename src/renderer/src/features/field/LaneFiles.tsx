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
import { Link } from '@tanstack/react-router'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import type { z } from 'zod'
import type { laneFileSchema } from '../../../../shared/api/field.ts'
import { FileName } from '../../components/FileName.tsx'
import { useFormats } from '../../lib/format.ts'
import classes from './LaneFiles.module.css'
import { laneErrorText } from './lane-error.ts'

type LaneFile = z.infer<typeof laneFileSchema>

const stateIcons = {
  waiting: IconCircleDashed,
  uploading: IconDownload,
  uploaded: IconCircleCheck,
  skipped: IconCopyCheck,
  failed: IconAlertTriangle
} as const

/** The latest files of a lane, newest first, behind a button that opens them. */
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
      {open && (
        <ul>
          {files.map((file) => (
            <LaneFileRow key={`${file.name} ${file.updatedAt}`} file={file} />
          ))}
        </ul>
      )}
    </section>
  )
}

function LaneFileRow({ file }: { file: LaneFile }) {
  const { t } = useTranslation()
  const formats = useFormats()
  const StateIcon = stateIcons[file.state]
  const error = file.state === 'failed' && file.error !== null ? laneErrorText(t, file.error) : null
  return (
    <li className={classes['row']} data-state={file.state}>
      <StateIcon size={22} className={classes['icon']} aria-hidden />
      <span className={classes['name']}>
        {file.assetId === null ? (
          <FileName name={file.name} />
        ) : (
          <Link
            to="/assets/$assetId"
            params={{ assetId: file.assetId }}
            aria-label={t('field.openFile', { name: file.name })}
          >
            <FileName name={file.name} />
          </Link>
        )}
        {error !== null && <span className={classes['why']}>{error}</span>}
      </span>
      <span className={classes['size']}>{file.sizeBytes === null ? '' : formats.bytes(file.sizeBytes)}</span>
      <span className={classes['state']}>{t(`field.fileState.${file.state}`)}</span>
      <time className={classes['time']} dateTime={file.updatedAt}>
        {formats.time(file.updatedAt)}
      </time>
    </li>
  )
}
