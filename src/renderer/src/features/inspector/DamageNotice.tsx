import { useTranslation } from 'react-i18next'
import { type AssetDetail, type MediaProblem, storedDamage } from '../../../../shared/api/assets.ts'
import { Callout } from '../../components/Callout.tsx'

const inStore: ReadonlySet<MediaProblem> = new Set(storedDamage)

/** Says in words what is wrong with the bytes and what can be done about it; nothing for a sound asset. */
export function DamageNotice({ asset: { damage } }: { asset: AssetDetail }) {
  const { t } = useTranslation()
  if (damage === null) return null
  return (
    <Callout tone="bad" title={t(`media.damage.${damage}`)}>
      {inStore.has(damage) ? t('media.damageAdvice.stored') : t('media.damageAdvice.reupload')}
    </Callout>
  )
}
