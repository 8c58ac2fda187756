import type { DamageFound } from '../embedded-store/engine/recovery/verify-store.ts'

const DAMAGE: Record<DamageFound['what'], string> = {
  missing: 'is missing',
  wrong_size: 'has the wrong size',
  wrong_bytes: 'holds other bytes than were written',
  unreadable: 'cannot be read'
}

/** A damaged payload file in words: what lies in it, where it is, what is wrong. */
export function damageLine({ what, path, objects }: DamageFound): string {
  const names = objects.map(({ bucket, key }) => `${bucket}/${key}`).join(', ') || 'a part of an unfinished upload'
  return `${names}: ${path} ${DAMAGE[what]}`
}
