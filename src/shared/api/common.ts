import { z } from 'zod'

/** Identifier made by the daemon: 26 characters of `[0-9a-z]`. */
export const idSchema = z.string().regex(/^[0-9a-z]{26}$/)

/** A SHA-256 in hex, any case in, lower case out. */
export const sha256Schema = z
  .string()
  .regex(/^[0-9a-fA-F]{64}$/)
  .toLowerCase()

/** An instant as ISO 8601 in UTC. */
export const instantSchema = z.iso.datetime()

/** A calendar day where the picture was taken, `YYYY-MM-DD`. */
export const daySchema = z.iso.date()

/** Date and time without a zone, `YYYY-MM-DDTHH:mm:ss`. */
export const wallClockSchema = z.string().regex(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d$/)

/** Keyset paging: pass `nextCursor` of one answer as `cursor` of the next call. */
export const pageQuery = {
  cursor: z.string().max(512).optional(),
  limit: z.coerce.number().int().min(1).max(500).default(100)
}

/** A page of `item`s; `nextCursor` is null on the last one. */
export function pageOf<T extends z.ZodType>(item: T) {
  return z.object({ items: z.array(item), nextCursor: z.string().nullable() })
}
