import { z } from 'zod'

/**
 * What the daemon announces once everything listens: one line of `serve --ready-json`, and the same object to the
 * desktop shell. URLs carry the real port and no trailing slash; `admin.token` is a bearer token for the admin listener.
 */
export const readyInfoSchema = z.object({
  event: z.literal('ready'),
  pid: z.int().positive(),
  admin: z.object({ url: z.url(), token: z.string().min(1) }),
  field: z.object({ url: z.url() }),
  s3: z.object({ url: z.url(), bucket: z.string().min(1), region: z.string().min(1) }),
  /** Missing when another program holds the default port and no other one was asked for. */
  mqtt: z.object({ url: z.url() }).optional()
})

/** The announcement in a line of output; null for any other line. */
export function readyInfoFrom(line: string): ReadyInfo | null {
  if (!line.startsWith('{')) return null
  try {
    return readyInfoSchema.parse(JSON.parse(line))
  } catch {
    return null
  }
}

export type ReadyInfo = z.infer<typeof readyInfoSchema>
