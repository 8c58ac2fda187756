import { expect, it } from 'vitest'
import { modelName } from './drone-models.ts'

it('names known models and passes unknown keys on', () => {
  expect(modelName('0-99-0')).toBe('Matrice 4E')
  expect(modelName('1-65534-0')).toBe('1-65534-0')
  expect(modelName('constructor')).toBe('constructor')
})
