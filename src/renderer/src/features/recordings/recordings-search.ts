import { z } from 'zod'
import { daySchema } from '../../../../shared/api/common.ts'

/** Which day of recordings is shown, as it stands in the address; what is not understood is left out. */
export const recordingsSearchSchema = z.object({ day: daySchema.optional().catch(undefined) })
export type RecordingsSearch = z.output<typeof recordingsSearchSchema>
