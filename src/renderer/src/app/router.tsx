import type { QueryClient } from '@tanstack/react-query'
import {
  createRootRouteWithContext,
  createRoute,
  createRouter,
  lazyRouteComponent,
  redirect
} from '@tanstack/react-router'
import { activitySearchSchema } from '../features/activity/activity-search.ts'
import { assetSearchSchema } from '../features/assets/asset-search.ts'
import { FieldScreen } from '../features/field/FieldScreen.tsx'
import { recordingsSearchSchema } from '../features/recordings/recordings-search.ts'
import { CrashPage } from './CrashPage.tsx'
import { NotFoundPage } from './NotFoundPage.tsx'
import { Shell } from './Shell.tsx'

const rootRoute = createRootRouteWithContext<{ queryClient: QueryClient }>()({
  component: Shell,
  notFoundComponent: NotFoundPage,
  errorComponent: CrashPage
})

const indexRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: '/',
  beforeLoad: () => {
    throw redirect({ to: '/field', replace: true })
  }
})

const fieldRoute = createRoute({ getParentRoute: () => rootRoute, path: '/field', component: FieldScreen })

const assetsRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: '/assets',
  validateSearch: assetSearchSchema,
  component: lazyRouteComponent(() => import('./AssetsPage.tsx'), 'AssetsPage')
})

const assetRoute = createRoute({
  getParentRoute: () => assetsRoute,
  path: '$assetId',
  component: lazyRouteComponent(() => import('./InspectorPage.tsx'), 'InspectorPage')
})

const liveRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: '/live',
  component: lazyRouteComponent(() => import('./LivePage.tsx'), 'LivePage')
})

const streamRoute = createRoute({ getParentRoute: () => liveRoute, path: '$sourceId' })

const recordingsRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: '/recordings',
  validateSearch: recordingsSearchSchema,
  component: lazyRouteComponent(() => import('./RecordingsPage.tsx'), 'RecordingsPage')
})

const recordedStreamRoute = createRoute({ getParentRoute: () => recordingsRoute, path: '$sourceId' })

const uploadsRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: '/uploads',
  component: lazyRouteComponent(() => import('../features/uploads/UploadsScreen.tsx'), 'UploadsScreen')
})

const binRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: '/bin',
  component: lazyRouteComponent(() => import('./BinPage.tsx'), 'BinPage')
})

const binnedAssetRoute = createRoute({
  getParentRoute: () => binRoute,
  path: '$assetId',
  component: lazyRouteComponent(() => import('./BinInspectorPage.tsx'), 'BinInspectorPage')
})

const jobsRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: '/jobs',
  component: lazyRouteComponent(() => import('../features/jobs/JobsScreen.tsx'), 'JobsScreen')
})

const activityRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: '/activity',
  validateSearch: activitySearchSchema,
  component: lazyRouteComponent(() => import('./ActivityPage.tsx'), 'ActivityPage')
})

const storageRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: '/storage',
  component: lazyRouteComponent(() => import('../features/storage/StorageScreen.tsx'), 'StorageScreen')
})

const settingsRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: '/settings',
  component: lazyRouteComponent(() => import('../features/settings/SettingsScreen.tsx'), 'SettingsScreen')
})

const doctorRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: '/doctor',
  component: lazyRouteComponent(() => import('../features/doctor/DoctorScreen.tsx'), 'DoctorScreen')
})

const routeTree = rootRoute.addChildren([
  indexRoute,
  fieldRoute,
  assetsRoute.addChildren([assetRoute]),
  liveRoute.addChildren([streamRoute]),
  recordingsRoute.addChildren([recordedStreamRoute]),
  uploadsRoute,
  binRoute.addChildren([binnedAssetRoute]),
  jobsRoute,
  activityRoute,
  storageRoute,
  settingsRoute,
  doctorRoute
])

/** Makes the router; addresses are ordinary paths, which the daemon answers with this page. */
export function createAppRouter(queryClient: QueryClient) {
  return createRouter({
    routeTree,
    context: { queryClient },
    defaultPreload: 'intent',
    defaultErrorComponent: CrashPage,
    defaultNotFoundComponent: NotFoundPage
  })
}

export type AppRouter = ReturnType<typeof createAppRouter>

declare module '@tanstack/react-router' {
  interface Register {
    router: AppRouter
  }
}
