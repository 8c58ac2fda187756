import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { StorageError } from '../engine/storage-engine.ts'
import { canonicalPath } from './canonical-request.ts'
import { parseRequestTarget, parseResourceName, percentDecode, percentEncode } from './request-target.ts'
import { S3Error } from './s3-error.ts'

describe('parseRequestTarget', () => {
  it('splits at the first question mark and decodes the query once', () => {
    const { rawPath, query } = parseRequestTarget('/b/k%3F?prefix=a+b%2B%25?&uploads&&x=')
    expect(rawPath).toBe('/b/k%3F')
    expect([...query]).toEqual([
      ['prefix', 'a b+%?'],
      ['uploads', ''],
      ['x', '']
    ])
  })
  it.each(['http://h/b', '*', 'b/k', '/b#f', `/${'x'.repeat(9000)}`, '/?a=%zz', '/?a=%ff', '/?a=%c0%80'])(
    'refuses %s',
    (target) => {
      expect(() => parseRequestTarget(target.slice(0, 9000))).toThrow(expect.objectContaining({ code: 'InvalidURI' }))
    }
  )
  it('refuses a repeated parameter', () => {
    expect(() => parseRequestTarget('/b?prefix=a&prefix=b')).toThrow(
      expect.objectContaining({ code: 'InvalidArgument' })
    )
  })
})

describe('parseResourceName', () => {
  it.each([
    ['/', { level: 'service' }],
    ['/media', { level: 'bucket', bucket: 'media' }],
    ['/media/', { level: 'bucket', bucket: 'media' }],
    ['/media//', { level: 'object', bucket: 'media', key: '/' }],
    ['/media/a//b/', { level: 'object', bucket: 'media', key: 'a//b/' }],
    ['/media/a+b%20c%2Fd%5C:', { level: 'object', bucket: 'media', key: 'a+b c/d\\:' }],
    ['/media/CON', { level: 'object', bucket: 'media', key: 'CON' }],
    ['/media/e%CC%81', { level: 'object', bucket: 'media', key: 'e\u0301' }],
    ['/media/%C3%A9', { level: 'object', bucket: 'media', key: '\u00e9' }],
    [`/media/${'k'.repeat(1024)}`, { level: 'object', bucket: 'media', key: 'k'.repeat(1024) }]
  ])('O11, O13: reads %s', (path, name) => {
    expect(parseResourceName(path)).toEqual(name)
  })
  it.each([
    ['/media/%zz', 'InvalidURI'],
    ['/media/%ff', 'InvalidURI'],
    ['/media/%2e%2e/x', 'InvalidKey'],
    ['/media/a/../b', 'InvalidKey'],
    ['/media/.', 'InvalidKey'],
    ['/media/a%00', 'InvalidKey'],
    ['/media/%EF%BF%BF', 'InvalidKey'],
    [`/media/${'k'.repeat(1025)}`, 'KeyTooLong'],
    ['/Media/k', 'InvalidBucketName'],
    ['/192.168.1.1/k', 'InvalidBucketName'],
    ['/ab', 'InvalidBucketName'],
    ['//k', 'InvalidBucketName']
  ])('O12, O14, O15: refuses %s', (path, code) => {
    expect(() => parseResourceName(path)).toThrow(expect.objectContaining({ code }))
  })
  it('never fails otherwise, and never yields a dot segment', () => {
    const piece = fc.constantFrom('/', '.', '..', '%2e', '%2F', '%', '%c3', 'media', 'a', '%00', '+')
    fc.assert(
      fc.property(fc.array(fc.oneof(piece, fc.string()), { maxLength: 12 }), (pieces) => {
        try {
          const name = parseResourceName(parseRequestTarget(`/${pieces.join('')}`).rawPath)
          if (name.level === 'object') expect(name.key.split('/')).not.toContain('..')
        } catch (error) {
          if (!(error instanceof S3Error || error instanceof StorageError)) throw error
        }
      }),
      { numRuns: 2000 }
    )
  })
})

describe('percent encoding', () => {
  it('round-trips any text', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), (text) => {
        expect(percentDecode(percentEncode(text))).toBe(text)
      })
    )
  })
  it('is canonical for SigV4', () => {
    expect(canonicalPath("/b/a b+c*('!)~/%e6%b5%8b")).toBe('/b/a%20b%2Bc%2A%28%27%21%29~/%E6%B5%8B')
  })
})
