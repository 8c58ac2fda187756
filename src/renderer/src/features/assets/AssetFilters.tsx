import { ActionIcon, NativeSelect, SegmentedControl, Tooltip } from '@mantine/core'
import { IconFilterOff } from '@tabler/icons-react'
import { useQuery } from '@tanstack/react-query'
import { useTranslation } from 'react-i18next'
import { assetKinds } from '../../../../shared/api/assets.ts'
import { assetFacetsQuery } from '../../lib/asset-query.ts'
import { useFormats } from '../../lib/format.ts'
import classes from './AssetFilters.module.css'
import { type AssetSearch, isFiltered } from './asset-search.ts'
import { namesOfDevices } from './device-names.ts'
import { NameFilter } from './NameFilter.tsx'

const all = ''

/** Filters by words of the name, type, day, device and tag; only values that occur are offered. */
export function AssetFilters({ search, onChange }: { search: AssetSearch; onChange: (next: AssetSearch) => void }) {
  const { t } = useTranslation()
  const formats = useFormats()
  const { data: facets } = useQuery(assetFacetsQuery)
  const kinds = assetKinds.filter((kind) => kind === search.kind || facets?.kinds.includes(kind))
  const days = [...new Set([...(facets?.days ?? []), ...(search.day === undefined ? [] : [search.day])])]
  const devices = [...namesOfDevices(facets?.devices ?? [])].map(([value, { full }]) => ({ value, label: full }))
  if (search.device !== undefined && !devices.some(({ value }) => value === search.device))
    devices.push({ value: search.device, label: search.device })

  const tags = [...new Set([...(facets?.tags ?? []), ...(search.tag === undefined ? [] : [search.tag])])]

  // Nothing to choose from.
  if (facets?.days.length === 0 && !isFiltered(search)) return null
  const set = (change: AssetSearch) => onChange({ ...search, ...change })
  return (
    <search className={classes['filters']} aria-label={t('assets.filters')}>
      <NameFilter text={search.text ?? ''} onChange={(text) => set({ text: text || undefined })} />
      {kinds.length > 1 && (
        <SegmentedControl
          aria-label={t('assets.kind')}
          size="md"
          classNames={{
            root: classes['kinds'] ?? '',
            label: classes['kind'] ?? '',
            indicator: classes['chosen'] ?? ''
          }}
          value={search.kind ?? all}
          onChange={(value) => set({ kind: assetKinds.find((kind) => kind === value) })}
          data={[
            { value: all, label: t('assets.anyKind') },
            ...kinds.map((kind) => ({ value: kind, label: t(`assets.kinds.${kind}`) }))
          ]}
        />
      )}
      <NativeSelect
        className={classes['select']}
        aria-label={t('assets.day')}
        value={search.day ?? all}
        onChange={(event) => set({ day: event.currentTarget.value || undefined })}
        data={[
          { value: all, label: t('assets.anyDay') },
          ...days.map((day) => ({ value: day, label: formats.shortDay(day) }))
        ]}
      />
      <NativeSelect
        className={classes['select']}
        aria-label={t('assets.device')}
        value={search.device ?? all}
        onChange={(event) => set({ device: event.currentTarget.value || undefined })}
        data={[{ value: all, label: t('assets.anyDevice') }, ...devices]}
      />
      {tags.length > 0 && (
        <NativeSelect
          className={classes['select']}
          aria-label={t('assets.tag')}
          value={search.tag ?? all}
          onChange={(event) => set({ tag: event.currentTarget.value || undefined })}
          data={[{ value: all, label: t('assets.anyTag') }, ...tags]}
        />
      )}
      {isFiltered(search) && (
        <Tooltip label={t('assets.clear')}>
          <ActionIcon aria-label={t('assets.clear')} onClick={() => onChange({})}>
            <IconFilterOff size={24} />
          </ActionIcon>
        </Tooltip>
      )}
    </search>
  )
}
