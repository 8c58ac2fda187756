import fc from 'fast-check'
import { expect, test } from 'vitest'
import { newPathName, slugOf } from './path-name.ts'

test('a path is named after its source as far as ASCII goes, with something of its own', () => {
  expect(slugOf('  Roof Cam #2 (north)  ')).toBe('roof-cam-2-north')
  expect(slugOf('Überwachung')).toBe('uberwachung')
  expect(slugOf('摄像头1')).toBe('1')
  expect(slugOf('摄像头')).toBe('stream')
  expect(slugOf('a/../../etc')).toBe('a-etc')
  expect(slugOf('x'.repeat(300))).toHaveLength(48)
  expect(newPathName('cam')).not.toBe(newPathName('cam'))
})

test('whatever the name, the path is one that every server and file system takes', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 300 }), (name) => {
      const path = newPathName(name)
      expect(path).toMatch(/^live\/[a-z0-9]+(-[a-z0-9]+)*-[0-9a-f]{8}$/)
      expect(path.length).toBeLessThanOrEqual(128)
    })
  )
})
