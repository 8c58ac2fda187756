import { ActionIcon, Button, Menu } from '@mantine/core'
import { IconCheck, IconFolderOpen, IconLanguage } from '@tabler/icons-react'
import { useTranslation } from 'react-i18next'
import { desktop } from '../lib/desktop.ts'
import { languages, preferences, setPreferences, themes } from '../lib/preferences.ts'
import { useStore } from '../lib/store.ts'

/** A language is named in itself, so that whoever landed in the wrong one finds the way out. */
const languageNames = { en: 'English', 'zh-CN': '简体中文' } as const

/** Language and display; `compact` shows the icon alone. */
export function PreferencesMenu({ compact = false, className }: { compact?: boolean; className?: string | undefined }) {
  const { t } = useTranslation()
  const { language, theme } = useStore(preferences)
  const mark = (chosen: boolean) => (chosen ? <IconCheck size={20} aria-hidden /> : <span style={{ width: 20 }} />)

  return (
    <Menu position="right-end" width={280} shadow="lg" transitionProps={{ duration: 0 }}>
      <Menu.Target>
        {compact ? (
          <ActionIcon aria-label={t('preferences.open')} variant="default">
            <IconLanguage size={24} />
          </ActionIcon>
        ) : (
          <Button
            className={className}
            variant="transparent"
            justify="flex-start"
            leftSection={<IconLanguage size={24} aria-hidden />}
            aria-label={t('preferences.open')}
          >
            {languageNames[language]}
          </Button>
        )}
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Label>{t('preferences.language')}</Menu.Label>
        {languages.map((tag) => (
          <Menu.Item
            key={tag}
            lang={tag}
            role="menuitemradio"
            aria-checked={tag === language}
            leftSection={mark(tag === language)}
            onClick={() => setPreferences({ language: tag })}
          >
            {languageNames[tag]}
          </Menu.Item>
        ))}
        <Menu.Divider />
        <Menu.Label>{t('preferences.theme')}</Menu.Label>
        {themes.map((name) => (
          <Menu.Item
            key={name}
            role="menuitemradio"
            aria-checked={name === theme}
            leftSection={mark(name === theme)}
            onClick={() => setPreferences({ theme: name })}
          >
            {t(`preferences.${name}`)}
          </Menu.Item>
        ))}
        {desktop && (
          <>
            <Menu.Divider />
            <Menu.Item
              leftSection={<IconFolderOpen size={20} aria-hidden />}
              onClick={() => void desktop?.openDataFolder()}
            >
              {t('preferences.openDataFolder')}
            </Menu.Item>
          </>
        )}
      </Menu.Dropdown>
    </Menu>
  )
}
