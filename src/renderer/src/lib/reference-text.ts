import type { TFunction } from 'i18next'
import type { AssetDetail } from '../../../shared/api/assets.ts'

type Holder = Pick<AssetDetail['references'][number], 'namespace' | 'owner' | 'externalId'>

/** Who uses an asset, in words. */
export function referenceText(t: TFunction, { namespace, owner, externalId }: Holder): string {
  if (namespace === 'pilot') return t('inspector.referencePilot', { owner: owner ?? '' })
  if (namespace === 'screen') return t('inspector.referenceScreen')
  return [namespace, owner, externalId].filter(Boolean).join(' · ')
}
