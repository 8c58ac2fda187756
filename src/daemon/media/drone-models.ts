/** Names of DJI model keys `domain-type-subtype`: 0 aircraft, 1 payload, 2 controller, 3 dock. */
const NAMES: Record<string, string> = {
  '0-60-0': 'Matrice 300',
  '0-67-0': 'Matrice 30',
  '0-67-1': 'Matrice 30T',
  '0-77-0': 'Mavic 3E',
  '0-77-1': 'Mavic 3T',
  '0-77-3': 'Mavic 3TA',
  '0-89-0': 'Matrice 350',
  '0-91-0': 'Matrice 3D',
  '0-91-1': 'Matrice 3TD',
  '0-99-0': 'Matrice 4E',
  '0-99-1': 'Matrice 4T',
  '0-100-0': 'Matrice 4D',
  '0-100-1': 'Matrice 4TD',
  '0-103-0': 'Matrice 400',
  '1-39-0': 'FPV camera',
  '1-42-0': 'H20',
  '1-43-0': 'H20T',
  '1-52-0': 'M30 camera',
  '1-53-0': 'M30T camera',
  '1-61-0': 'H20N',
  '1-66-0': 'M3E camera',
  '1-67-0': 'M3T camera',
  '1-82-0': 'H30',
  '1-83-0': 'H30T',
  '1-88-0': 'M4E camera',
  '1-89-0': 'M4T camera',
  '1-98-0': 'M4D camera',
  '1-99-0': 'M4TD camera',
  '1-129-0': 'M3TA camera',
  '2-119-0': 'RC Plus',
  '2-144-0': 'RC Pro',
  '2-174-0': 'RC Plus 2'
}

/** The name people use for a model key; the key itself when it is one we have not met (new aircraft keep working). */
export function modelName(modelKey: string): string {
  return Object.hasOwn(NAMES, modelKey) ? (NAMES[modelKey] as string) : modelKey
}
