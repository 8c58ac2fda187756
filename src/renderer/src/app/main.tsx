import '@mantine/core/styles.css'
import './global.css'
import { StrictMode } from 'react'
import { createRoot } from 'react-dom/client'
import { startI18n } from '../lib/i18n/i18n.ts'
import { createQueryClient } from '../lib/query-client.ts'
import { followSessionLinks, startSession } from '../lib/session.ts'
import { App } from './App.tsx'

startI18n()
void startSession()
followSessionLinks()

const root = document.getElementById('root')
if (root === null) throw new Error('the page has no #root')
createRoot(root).render(
  <StrictMode>
    <App queryClient={createQueryClient()} />
  </StrictMode>
)
