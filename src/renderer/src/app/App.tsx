import { MantineProvider } from '@mantine/core'
import { type QueryClient, QueryClientProvider } from '@tanstack/react-query'
import { RouterProvider } from '@tanstack/react-router'
import { useEffect, useState } from 'react'
import { ToastStack } from '../components/ToastStack.tsx'
import { activityLive } from '../features/activity/activity.live.ts'
import { assetsLive } from '../features/assets/assets.live.ts'
import { doctorLive } from '../features/doctor/doctor.live.ts'
import { fieldLive } from '../features/field/field.live.ts'
import { inspectorLive } from '../features/inspector/inspector.live.ts'
import { jobsLive } from '../features/jobs/jobs.live.ts'
import { sourcesLive } from '../features/live/sources.live.ts'
import { recordingsLive } from '../features/recordings/recordings.live.ts'
import { referencesLive } from '../features/references/references.live.ts'
import { storageLive } from '../features/storage/storage.live.ts'
import { startUploads } from '../features/uploads/uploads.ts'
import { startLiveUpdates } from '../lib/live-updates.ts'
import { session } from '../lib/session.ts'
import { statusLive } from '../lib/status-query.ts'
import { useStore } from '../lib/store.ts'
import { createAppRouter } from './router.tsx'
import { SessionPage } from './SessionPage.tsx'
import { theme } from './theme.ts'
import { useDisplay } from './use-display.ts'

const liveHandlers = [
  statusLive,
  fieldLive,
  assetsLive,
  inspectorLive,
  referencesLive,
  jobsLive,
  activityLive,
  sourcesLive,
  recordingsLive,
  storageLive,
  doctorLive
]

/** The whole screen: providers, the session gate, live updates. */
export function App({ queryClient }: { queryClient: QueryClient }) {
  const colorScheme = useDisplay()
  const current = useStore(session)
  const open = current.state === 'open'

  useEffect(() => (open ? startLiveUpdates(queryClient, liveHandlers) : undefined), [open, queryClient])
  useEffect(() => {
    if (open) void startUploads()
  }, [open])
  useEffect(() => {
    if (!open) queryClient.clear()
  }, [open, queryClient])

  return (
    <MantineProvider theme={theme} forceColorScheme={colorScheme}>
      <QueryClientProvider client={queryClient}>
        {open ? <Screens queryClient={queryClient} /> : <SessionPage session={current} />}
        <ToastStack />
      </QueryClientProvider>
    </MantineProvider>
  )
}

/** The router is made with the session, so that it never sees an address that still holds the token. */
function Screens({ queryClient }: { queryClient: QueryClient }) {
  const [router] = useState(() => createAppRouter(queryClient))
  return <RouterProvider router={router} />
}
