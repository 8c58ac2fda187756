import { render } from '@testing-library/react'
import { expect, test } from 'vitest'
import { FileName } from './FileName.tsx'

test.each([
  ['DJI_20250614093109_0024_V.JPG', ['DJI_20250614093109_', '0024_V.JPG']],
  ['DJI_20250614093109_0024_Z_2.JPG', ['DJI_20250614093109_', '0024_Z_2.JPG']],
  ['a long name of something.pdf', ['a long name of s', 'omething.pdf']],
  ['IMG_0001.JPG', ['IMG_0001.JPG']],
  ['x_IMG_0001.JPG', ['x_IMG_0001.JPG']],
  ['', ['']]
])('%s keeps its end', (name, parts) => {
  const { container } = render(<FileName name={name} />)
  expect([...(container.firstElementChild?.children ?? [])].map((part) => part.textContent)).toEqual(parts)
})
