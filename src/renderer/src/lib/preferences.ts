import { createStore } from './store.ts'

export const languages = ['en', 'zh-CN'] as const
export type Language = (typeof languages)[number]

export const themes = ['auto', 'light', 'dark', 'contrast'] as const
export type Theme = (typeof themes)[number]

/** What a person set for this browser; kept between visits. */
export interface Preferences {
  language: Language
  theme: Theme
}

const storageKey = 'flightcase.preferences'

/** The first language of the browser that we speak, else English. */
export function preferredLanguage(spoken: readonly string[]): Language {
  for (const tag of spoken) {
    if (/^zh\b/i.test(tag)) return 'zh-CN'
    if (/^en\b/i.test(tag)) return 'en'
  }
  return 'en'
}

/** Reads stored preferences; whatever is missing or not understood takes its default. */
export function parsePreferences(stored: string | null, spoken: readonly string[]): Preferences {
  const defaults: Preferences = { language: preferredLanguage(spoken), theme: 'auto' }
  if (stored === null) return defaults
  try {
    const value: unknown = JSON.parse(stored)
    if (typeof value !== 'object' || value === null) return defaults
    const { language, theme } = value as Record<string, unknown>
    return {
      language: languages.find((known) => known === language) ?? defaults.language,
      theme: themes.find((known) => known === theme) ?? defaults.theme
    }
  } catch {
    return defaults
  }
}

export const preferences = createStore<Preferences>(parsePreferences(readStored(), navigator.languages))

/** Changes some preferences and keeps them for the next visit. */
export function setPreferences(change: Partial<Preferences>): void {
  const next = { ...preferences.get(), ...change }
  preferences.set(next)
  try {
    localStorage.setItem(storageKey, JSON.stringify(next))
  } catch {
    // Storage may be forbidden or full; the choice then lasts as long as the page.
  }
}

function readStored(): string | null {
  try {
    return localStorage.getItem(storageKey)
  } catch {
    return null
  }
}
