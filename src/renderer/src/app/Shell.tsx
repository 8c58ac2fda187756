import { Link, Outlet, useNavigate } from '@tanstack/react-router'
import { lazy, Suspense, useEffect } from 'react'
import { useTranslation } from 'react-i18next'
import { DropArea } from '../features/uploads/DropArea.tsx'
import { assetInUse } from '../lib/asset-in-use.ts'
import { useStore } from '../lib/store.ts'
import { runLatestAction } from '../lib/toasts.ts'
import { ConnectionBanner } from './ConnectionBanner.tsx'
import { ConnectionNote } from './ConnectionNote.tsx'
import logo from './flightcase.svg'
import { places } from './navigation.ts'
import { PreferencesMenu } from './PreferencesMenu.tsx'
import classes from './Shell.module.css'
import { StoreBanner } from './StoreBanner.tsx'

const InUseQuestion = lazy(async () => {
  const { InUseQuestion: component } = await import('../features/references/InUseQuestion.tsx')
  return { default: component }
})

/** The frame around every screen: navigation at the left, warnings on top, the screen below them. */
export function Shell() {
  const { t } = useTranslation()
  const navigate = useNavigate()
  const inUse = useStore(assetInUse)
  useUndoKey()

  return (
    <div className={classes['shell']} data-testid="app">
      <a className={classes['skip']} href="#content">
        {t('app.skipToContent')}
      </a>
      <nav className={classes['rail']} aria-label={t('app.navigation')}>
        <div className={classes['brand']}>
          <img src={logo} alt="" width={36} height={36} />
          <span className={classes['brandName']}>Flightcase</span>
        </div>
        <ul className={classes['places']}>
          {places.map((place) => (
            <li key={place.to}>
              <Link to={place.to} className={classes['place']} activeProps={{ 'aria-current': 'page' }}>
                <place.icon size={26} stroke={1.75} aria-hidden />
                <span>{t(place.label)}</span>
                {'badge' in place && <place.badge />}
              </Link>
            </li>
          ))}
        </ul>
        <div className={classes['foot']}>
          <ConnectionNote />
          <PreferencesMenu className={classes['preferences']} />
        </div>
      </nav>
      <div className={classes['main']}>
        <ConnectionBanner />
        <StoreBanner />
        <main id="content" tabIndex={-1} className={classes['content']}>
          <Outlet />
        </main>
      </div>
      <Suspense>{inUse && <InUseQuestion key={inUse.id} asset={inUse} />}</Suspense>
      <DropArea onAdded={() => void navigate({ to: '/uploads' })} />
    </div>
  )
}

/** Ctrl+Z takes back what the newest message offers to take back. */
function useUndoKey(): void {
  useEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      if (event.key !== 'z' || !(event.ctrlKey || event.metaKey) || event.shiftKey || event.altKey) return
      if (event.target instanceof Element && event.target.closest('input, textarea, [contenteditable]')) return
      if (runLatestAction()) event.preventDefault()
    }
    window.addEventListener('keydown', onKey)
    return () => window.removeEventListener('keydown', onKey)
  }, [])
}
