import i18next from 'i18next'
import { initReactI18next } from 'react-i18next'
import { preferences } from '../preferences.ts'
import { en } from './en.ts'
import { zhCN } from './zh-CN.ts'

/** Makes texts available in the preferred language, and follows the preference from then on. */
export function startI18n(): void {
  const follow = () => {
    const { language } = preferences.get()
    document.documentElement.lang = language
    void i18next.changeLanguage(language)
  }
  void i18next.use(initReactI18next).init({
    lng: preferences.get().language,
    fallbackLng: 'en',
    resources: { en: { translation: en }, 'zh-CN': { translation: zhCN } },
    // React escapes what it renders.
    interpolation: { escapeValue: false },
    initAsync: false
  })
  follow()
  preferences.subscribe(follow)
}
