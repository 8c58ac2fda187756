import { useTranslation } from 'react-i18next'
import type { AssetDetail, MediaProblem } from '../../../../shared/api/assets.ts'
import { Callout } from '../../components/Callout.tsx'

/** Damage that arose in the store, as against a file that already came that way. */
const storedDamage: ReadonlySet<MediaProblem> = new Set(['bytes_missing', 'bytes_changed'])

/** Says in words what is wrong with the bytes and what can be done about it; nothing for a sound asset. */
export function DamageNotice({ asset: { damage } }: { asset: AssetDetail }) {
  const { t } = useTranslation()
  if (damage === null) return null
  return (
    <Callout tone="bad" title={t(`media.damage.${damage}`)}>
      {storedDamage.has(damage) ? t('media.damageAdvice.stored') : t('media.damageAdvice.reupload')}
    </Callout>
  )
}
