import { localDay } from '../../clock.ts'
import { UPLOADS } from '../../object-keys.ts'

const MAX_KEY_BYTES = 1024
const WORKSPACE_ID = /^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$/
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for
const CONTROL_OR_BACKSLASH = /[\u0000-\u001f\u007f\\]/

/** Pilot demands a UUID; any short name without separators works as the name of a partition. */
export function isWorkspaceId(text: string): boolean {
  return WORKSPACE_ID.test(text)
}

/**
 * Whether a controller may report `key` for this workspace: 1 to 1024 bytes of well-formed text, no control characters or
 * backslashes, no empty, `.` or `..` component, under `media/{workspace}/` (with `legacyRoots` also `{workspace}/`).
 */
export function isAcceptableKey(key: string, workspaceId: string, legacyRoots: boolean): boolean {
  if (key === '' || Buffer.byteLength(key) > MAX_KEY_BYTES || !key.isWellFormed()) return false
  if (CONTROL_OR_BACKSLASH.test(key)) return false
  if (key.split('/').some((component) => component === '' || component === '.' || component === '..')) return false
  return key.startsWith(uploadRoot(workspaceId)) || (legacyRoots && key.startsWith(`${workspaceId}/`))
}

/** Where all uploads of a workspace are, with a trailing slash. */
export function uploadRoot(workspaceId: string): string {
  return `${UPLOADS}/${workspaceId}/`
}

/**
 * The folder a controller uploads into, without a trailing slash: one a day, because cameras reuse file names. With
 * `deviceFolder` each controller has its own.
 */
export function uploadPrefix(workspaceId: string, nowMs: number, deviceFolder: string | null): string {
  const day = localDay(nowMs).replaceAll('-', '')
  return `${uploadRoot(workspaceId)}${day}${deviceFolder === null ? '' : `/${deviceFolder}`}`
}
