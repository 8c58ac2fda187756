import type { DamageFound, Unchecked } from '../embedded-store/engine/recovery/verify-store.ts'

const DAMAGE: Record<DamageFound['what'], string> = {
  missing: 'is missing',
  wrong_size: 'has the wrong size',
  wrong_bytes: 'holds other bytes than were written',
  unreadable: 'cannot be read'
}

/** A damaged payload file in words: what lies in it, where it is, what is wrong. */
export function damageLine({ what, path, objects }: DamageFound): string {
  return `${namesOf(objects)}: ${path} ${DAMAGE[what]}`
}

/** The heading above files that nobody could look at. */
export const UNCHECKED =
  'These files could not be opened. They may be whole; look at their permissions, and whether a virus scanner holds them:'

/** A payload file that could not be looked at: what lies in it, where it is, why. */
export function uncheckedLine({ path, objects, reason }: Unchecked): string {
  return `${namesOf(objects)}: ${path} (${reason})`
}

function namesOf(objects: DamageFound['objects']): string {
  return objects.map(({ bucket, key }) => `${bucket}/${key}`).join(', ') || 'a part of an unfinished upload'
}
