interface Device {
  id: string
  name: string
  serial: string | null
}

/** What to call a device in a list, and where room is short. */
export interface DeviceNames {
  full: string
  short: string
}

/** What to call each device, by its id: its name; where several have the same one, the serial number tells them apart. */
export function namesOfDevices(devices: readonly Device[]): Map<string, DeviceNames> {
  return new Map(
    devices.map(({ id, name, serial }) => {
      const isAmbiguous = devices.some((other) => other.id !== id && other.name === name)
      const distinct = serial ?? id
      return [id, isAmbiguous ? { full: `${name} (${distinct})`, short: distinct } : { full: name, short: name }]
    })
  )
}
