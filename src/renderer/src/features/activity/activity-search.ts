import { z } from 'zod'
import { auditActions } from '../../../../shared/api/audit.ts'

/** What of the trail is shown, as it stands in the address; what is not understood is left out. */
export const activitySearchSchema = z.object({ action: z.enum(auditActions).optional().catch(undefined) })
export type ActivitySearch = z.output<typeof activitySearchSchema>
