import { useTranslation } from 'react-i18next'
import type { RefusedSignIn } from '../../../../shared/api/field.ts'
import { Callout } from '../../components/Callout.tsx'
import { useFormats } from '../../lib/format.ts'

const shownAddresses = 3

/** Tells which addresses came with a wrong token lately: without it the only trace would be on the controller's own screen. */
export function RefusedSignIns({ refused }: { refused: readonly RefusedSignIn[] }) {
  const { t } = useTranslation()
  const formats = useFormats()
  const [latest] = refused
  if (!latest) return null
  const others = refused.length - shownAddresses
  const addresses = formats.list([
    ...refused.slice(0, shownAddresses).map(({ remoteAddress }) => remoteAddress),
    ...(others > 0 ? [t('field.refusedOthers', { count: others })] : [])
  ])
  return (
    <Callout tone="warn" title={t('field.refused', { addresses, time: formats.minute(latest.at) })}>
      {t('field.refusedHow')}
    </Callout>
  )
}
