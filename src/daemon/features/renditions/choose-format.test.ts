import { expect, it } from 'vitest'
import { chooseFormat } from './choose-format.ts'

it.each<[string | undefined, string]>([
  [undefined, 'webp'],
  ['', 'webp'],
  ['*/*', 'webp'],
  ['image/*', 'webp'],
  ['image/avif,image/webp,image/apng,image/svg+xml,image/*,*/*;q=0.8', 'webp'],
  ['image/jpeg', 'jpeg'],
  ['image/avif', 'avif'],
  ['image/jpeg, image/webp;q=0.9', 'jpeg'],
  ['image/avif;q=0.9, image/webp;q=0.8', 'avif'],
  ['image/webp;q=0, image/*', 'avif'],
  ['IMAGE/JPEG ; Q=1', 'jpeg'],
  ['text/html', 'webp'],
  ['image/avif;q=high', 'webp'],
  [','.repeat(5000), 'webp']
])('%j', (accept, format) => {
  expect(chooseFormat(accept, ['webp'])).toBe(format)
})

it('takes another stored format among equals', () => {
  expect(chooseFormat('image/webp,image/jpeg', ['jpeg', 'webp'])).toBe('webp')
  expect(chooseFormat('image/avif,image/webp', ['avif', 'webp'])).toBe('avif')
})
