import { MantineProvider } from '@mantine/core'
import { QueryClientProvider } from '@tanstack/react-query'
import { createMemoryHistory, createRootRoute, createRouter, RouterContextProvider } from '@tanstack/react-router'
import { render } from '@testing-library/react'
import type { ReactNode } from 'react'
import { vi } from 'vitest'
import { ToastStack } from '../components/ToastStack.tsx'
import { startI18n } from '../lib/i18n/i18n.ts'
import { setPreferences } from '../lib/preferences.ts'
import { createQueryClient } from '../lib/query-client.ts'

/** What the daemon answers to `METHOD /path`, query left out: a JSON value, or a problem's status and code. */
export type Answers = Record<string, unknown>

/** What a healthy base tells an administrator of itself; the answer to its status unless `Answers` has another. */
export const status = {
  version: '1.0.0',
  startedAt: '2026-11-21T01:00:00.000Z',
  role: 'admin',
  fieldUrls: ['http://192.168.1.10:8700'],
  s3Urls: [],
  workspaceIds: null,
  controllersCanPair: true,
  tokenCommand: null,
  store: { mode: 'embedded', reachable: true, writable: true, freeBytes: null, trouble: null, problem: null },
  ffmpeg: { found: false, path: null },
  retention: { graceHours: 24, binDays: 30 }
}

/** A refusal among `Answers`. */
export function refusal(status: number, code: string): Response {
  return Response.json({ type: 'about:blank', title: code, status, code, requestId: 'r' }, { status })
}

/** Renders part of the screen, in English, against a daemon that gives these answers. Answers the calls it got, with their bodies. */
export function renderScreen(
  screen: ReactNode,
  answers: Answers
): { calls: string[]; bodies: Record<string, unknown> } {
  const calls: string[] = []
  const bodies: Record<string, unknown> = {}
  vi.stubGlobal('fetch', async (url: string, init?: { method?: string; body?: string }) => {
    const call = `${init?.method ?? 'GET'} ${url.split('?')[0]}`
    calls.push(call)
    if (init?.body !== undefined) bodies[call] = JSON.parse(init.body)
    const answer = answers[call] ?? (call === 'GET /api/v1/status' ? status : undefined)
    if (answer === undefined) throw new Error(`no answer for ${call}`)
    return answer instanceof Response ? answer.clone() : Response.json(answer)
  })
  setPreferences({ language: 'en' })
  startI18n()
  const router = createRouter({ routeTree: createRootRoute(), history: createMemoryHistory() })
  render(
    <MantineProvider env="test">
      <QueryClientProvider client={createQueryClient()}>
        <RouterContextProvider router={router}>{screen}</RouterContextProvider>
        <ToastStack />
      </QueryClientProvider>
    </MantineProvider>
  )
  return { calls, bodies }
}
