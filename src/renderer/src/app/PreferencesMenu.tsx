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
  return (
    <Menu
      checkIcon={<IconCheck size={20} aria-hidden />}
      position="right-end"
      width={280}
      shadow="lg"
      transitionProps={{ duration: 0 }}
    >
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
        <Menu.RadioGroup value={language}>
          {languages.map((tag) => (
            <Menu.RadioItem key={tag} value={tag} lang={tag} onChange={() => setPreferences({ language: tag })}>
              {languageNames[tag]}
            </Menu.RadioItem>
          ))}
        </Menu.RadioGroup>
        <Menu.Divider />
        <Menu.Label>{t('preferences.theme')}</Menu.Label>
        <Menu.RadioGroup value={theme}>
          {themes.map((name) => (
            <Menu.RadioItem key={name} value={name} onChange={() => setPreferences({ theme: name })}>
              {t(`preferences.${name}`)}
            </Menu.RadioItem>
          ))}
        </Menu.RadioGroup>
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
