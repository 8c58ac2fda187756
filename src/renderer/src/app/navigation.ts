import {
  type Icon,
  IconDatabase,
  IconHistory,
  IconListCheck,
  IconMovie,
  IconPhoto,
  IconRadar2,
  IconSettings,
  IconStethoscope,
  IconTrash,
  IconUpload,
  IconVideo
} from '@tabler/icons-react'
import type { ComponentType } from 'react'
import { DeadJobsBadge } from '../features/jobs/DeadJobsBadge.tsx'

/** The places of the application in the order of the navigation; an entry is added when its screen exists. */
export const places = [
  { to: '/field', label: 'app.field', icon: IconRadar2 },
  { to: '/assets', label: 'app.assets', icon: IconPhoto },
  { to: '/live', label: 'app.live', icon: IconVideo },
  { to: '/recordings', label: 'app.recordings', icon: IconMovie },
  { to: '/uploads', label: 'app.uploads', icon: IconUpload },
  { to: '/bin', label: 'app.bin', icon: IconTrash },
  { to: '/jobs', label: 'app.jobs', icon: IconListCheck, badge: DeadJobsBadge },
  { to: '/activity', label: 'app.activity', icon: IconHistory },
  { to: '/storage', label: 'app.storage', icon: IconDatabase },
  { to: '/settings', label: 'app.settings', icon: IconSettings },
  { to: '/doctor', label: 'app.doctor', icon: IconStethoscope }
] as const satisfies readonly { to: string; label: string; icon: Icon; badge?: ComponentType }[]
