import type { IncomingMessage } from 'node:http'
import type { Readable } from 'node:stream'
import { Busboy, type BusboyHeaders } from '@fastify/busboy'
import { AppError } from '../errors.ts'
import { bodyStream, hearOut, SILENCE_MS } from './body-stream.ts'

const MAX_FIELDS = 50
const MAX_FIELD_BYTES = 64 * 1024
const MAX_PART_HEADER_BYTES = 8 * 1024

/**
 * Reads a form (`multipart/form-data`, RFC 7578) with one file in the field `fileField`; `takeFile` gets its bytes as they come and
 * must consume them; when the form turns out to be wrong, the stream fails. Gives the other fields and what `takeFile` made of
 * the file; when anything fails after that, `undo` is called with it. Throws `invalid_request` for what is no such form,
 * and whatever `takeFile` throws.
 */
export async function receiveForm<T>(
  request: IncomingMessage,
  options: { fileField: string; takeFile: (stream: Readable, name: string) => Promise<T>; undo: (file: T) => void }
): Promise<{ fields: Record<string, string>; file: T }> {
  const { fileField, takeFile, undo } = options
  const fields: Record<string, string> = Object.create(null)
  let taking: Promise<T> | undefined
  let taken: { file: T } | undefined
  let fileStream: Readable | undefined
  let body: Readable | undefined
  try {
    const parser = parserFor(request)
    body = bodyStream(request, SILENCE_MS)
    await new Promise<void>((resolve, reject) => {
      const refuse = (message: string): void => reject(invalidForm(message))
      // What these throw would be nobody's: the parser calls them from a stream.
      const guarded =
        <Args extends unknown[]>(work: (...args: Args) => void) =>
        (...args: Args): void => {
          try {
            work(...args)
          } catch (error) {
            reject(error)
          }
        }
      const takeField = (name: string | undefined, value: string, _: boolean, isCut: boolean): void => {
        if (!name) refuse('a part has no name')
        else if (isCut) refuse(`the field ${name.slice(0, 40)} is too long`)
        else if (name in fields) refuse(`the field ${name.slice(0, 40)} is there twice`)
        else fields[name] = value
      }
      const takePart = (name: string | undefined, stream: Readable, fileName: string | undefined): void => {
        // What is wrong with the request is told by the request; the stream only ends then.
        stream.on('error', () => {})
        if (name !== fileField || taking) {
          stream.resume()
          refuse(taking ? 'there is more than one file' : `the file must be in the field ${fileField}`)
          return
        }
        fileStream = stream
        taking = takeFile(stream, fileName ?? '')
        taking.then((file) => {
          taken = { file }
        }, reject)
      }
      parser.on('field', guarded(takeField))
      parser.on('file', guarded(takePart))
      parser.once('partsLimit', () => refuse('there are too many parts'))
      parser.once('fieldsLimit', () => refuse('there are too many fields'))
      parser.once('error', (error: Error) => refuse(error.message))
      parser.once('finish', resolve)
      body?.once('error', reject)
      body?.pipe(parser)
    })
    if (!taking) throw invalidForm(`there is no file in the field ${fileField}`)
    return { fields, file: await taking }
  } catch (error) {
    body?.unpipe().destroy()
    fileStream?.destroy(error instanceof Error ? error : new Error('the form was refused'))
    await taking?.catch(() => undefined)
    if (taken) undo(taken.file)
    await hearOut(request)
    throw error
  }
}

function parserFor(request: IncomingMessage) {
  try {
    return new Busboy({
      headers: request.headers as BusboyHeaders,
      limits: {
        fields: MAX_FIELDS,
        parts: MAX_FIELDS + 2,
        fieldSize: MAX_FIELD_BYTES,
        headerPairs: 20,
        headerSize: MAX_PART_HEADER_BYTES
      }
    })
  } catch (error) {
    throw invalidForm(error instanceof Error ? error.message : 'it cannot be read')
  }
}

function invalidForm(message: string): AppError {
  return new AppError('invalid_request', { in: 'form', issues: [{ path: '', message }] })
}
