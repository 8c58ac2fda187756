import { expect, test } from 'vitest'
import { namesOfDevices } from './device-names.ts'

test('devices of one name are told apart by their serial numbers', () => {
  const names = namesOfDevices([
    { id: 'a', name: 'Matrice 4E', serial: '1581F1' },
    { id: 'b', name: 'Matrice 4E', serial: null },
    { id: 'c', name: 'Mavic 3E', serial: '1581F3' }
  ])
  expect([...names]).toEqual([
    ['a', { full: 'Matrice 4E (1581F1)', short: '1581F1' }],
    ['b', { full: 'Matrice 4E (b)', short: 'b' }],
    ['c', { full: 'Mavic 3E', short: 'Mavic 3E' }]
  ])
})
