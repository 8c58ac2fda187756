import type { z } from 'zod'
import { AppError } from '../errors.ts'

/** What a part of a request says. Throws `invalid_request` with every issue. */
export function parsePart<Schema extends z.ZodType>(part: string, schema: Schema, value: unknown): z.output<Schema> {
  const parsed = schema.safeParse(value)
  if (parsed.success) return parsed.data
  throw new AppError('invalid_request', {
    in: part,
    issues: parsed.error.issues.map((issue) => ({ path: issue.path.join('.'), message: issue.message }))
  })
}
