import { getDoctor } from '../../../../shared/api/doctor.ts'
import type { LiveHandler } from '../../lib/live-updates.ts'

export const doctorLive: LiveHandler = {
  onReopen: (client) => void client.invalidateQueries({ queryKey: [getDoctor.name] })
}
