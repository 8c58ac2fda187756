import { Pill, TagsInput } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { useTranslation } from 'react-i18next'
import { MAX_TAGS } from '../../../../shared/api/asset-changes.ts'
import { type AssetDetail, MAX_TAG_LENGTH } from '../../../../shared/api/assets.ts'
import { assetFacetsQuery } from '../../lib/asset-query.ts'
import { useMay } from '../../lib/use-may.ts'
import classes from './Facts.module.css'
import { Panel } from './Facts.tsx'
import { useChangeTags } from './use-change-tags.ts'

/** The tags of an asset, to change for those who may. */
export function TagsPanel({ asset }: { asset: AssetDetail }) {
  const { t } = useTranslation()
  const known = useQuery(assetFacetsQuery).data?.tags ?? []
  const change = useChangeTags(asset)
  const mayChange = useMay('operator')
  if (!mayChange && asset.tags.length === 0) return null
  return (
    <Panel title={t('tags.title')}>
      {mayChange ? (
        <TagsInput
          classNames={{ pill: classes['pill'] ?? '', inputField: classes['newPill'] ?? '' }}
          aria-label={t('tags.add')}
          placeholder={t('tags.add')}
          value={asset.tags}
          onChange={(tags) => void change(tags)}
          data={known}
          limit={20}
          maxTags={MAX_TAGS}
          maxLength={MAX_TAG_LENGTH}
          splitChars={[',', '，', '、']}
          comboboxProps={{ withinPortal: true }}
        />
      ) : (
        <ul className={classes['pills']}>
          {asset.tags.map((tag) => (
            <Pill key={tag} component="li" size="md">
              {tag}
            </Pill>
          ))}
        </ul>
      )}
    </Panel>
  )
}
