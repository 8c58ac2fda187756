import { useTranslation } from 'react-i18next'
import type { Storage } from '../../../../shared/api/storage.ts'
import { Section } from '../../components/Section.tsx'
import { useFormats } from '../../lib/format.ts'

/** Uploads in parts that did not end yet, and what to do about those that stand still. */
export function UploadsCard({ usage }: { usage: NonNullable<Storage['usage']> }) {
  const { t } = useTranslation()
  const formats = useFormats()
  const { unfinishedUploads: count, unfinishedBytes, idleUploads } = usage
  return (
    <Section title={t('storage.uploads.title')}>
      <p>
        {t('storage.uploads.underWay', { count, amount: formats.number(count), size: formats.bytes(unfinishedBytes) })}
      </p>
      {idleUploads > 0 && (
        <>
          <p>
            <strong>{t('storage.uploads.idle', { count: idleUploads, amount: formats.number(idleUploads) })}</strong>
          </p>
          <p>{t('storage.uploads.help')}</p>
        </>
      )}
    </Section>
  )
}
