import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

const LOOK_AGAIN_MS = 30_000

/**
 * Gives the function that says whether this computer runs on battery, as Linux tells it; elsewhere it is taken to have mains. It may
 * be asked all the time.
 */
export function watchBattery(supplies = '/sys/class/power_supply', now = () => performance.now()): () => boolean {
  let onBattery = false
  let lookAtMs = Number.NEGATIVE_INFINITY
  return () => {
    if (now() < lookAtMs) return onBattery
    lookAtMs = now() + LOOK_AGAIN_MS
    onBattery = namesIn(supplies).some((name) => isDischarging(join(supplies, name)))
    return onBattery
  }
}

function namesIn(supplies: string): string[] {
  try {
    return readdirSync(supplies)
  } catch {
    return []
  }
}

/** Only the computer's own battery: that of a mouse says `Device`. */
function isDischarging(supply: string): boolean {
  return (
    read(supply, 'type') === 'Battery' && read(supply, 'scope') !== 'Device' && read(supply, 'status') === 'Discharging'
  )
}

function read(supply: string, property: string): string | null {
  try {
    return readFileSync(join(supply, property), 'utf8').trim()
  } catch {
    // Not every supply has every property, and it can be pulled out at any time.
    return null
  }
}
