import type { IncomingMessage } from 'node:http'
import type { Readable } from 'node:stream'
import { Busboy, type BusboyHeaders } from '@fastify/busboy'
import { AppError } from '../errors.ts'

const MAX_FIELDS = 50
const MAX_FIELD_BYTES = 64 * 1024
/** A client that hears of a refusal before it has sent everything may miss the reason; so much longer it is listened to. */
const HEAR_OUT_MS = 2000

/**
 * Reads a form (`multipart/form-data`, RFC 7578) with one file in the field `fileField`; `takeFile` gets its bytes as they come and
 * must consume them; when the form turns out to be wrong, the stream fails. Gives the other fields and what `takeFile` made of the file; when anything fails after that,
 * `undo` is called with it. Throws `invalid_request` for what is no such form, and whatever `takeFile` throws.
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
  try {
    const parser = parserFor(request)
    await new Promise<void>((resolve, reject) => {
      const refuse = (message: string): void => reject(invalidForm(message))
      parser.on('field', (name, value, nameTruncated, valueTruncated) => {
        if (nameTruncated || valueTruncated) refuse(`the field ${name.slice(0, 40)} is too long`)
        else if (name in fields) refuse(`the field ${name} is there twice`)
        else fields[name] = value
      })
      parser.on('file', (name, stream, fileName) => {
        // What is wrong with the request is told by the request; the stream only ends then.
        stream.on('error', () => {})
        if (name !== fileField || taking) {
          stream.resume()
          refuse(taking ? 'there is more than one file' : `the file must be in the field ${fileField}`)
          return
        }
        fileStream = stream
        taking = takeFile(stream, fileName)
        taking.then((file) => {
          taken = { file }
        }, reject)
      })
      parser.once('partsLimit', () => refuse('there are too many parts'))
      parser.once('fieldsLimit', () => refuse('there are too many fields'))
      parser.once('error', (error: Error) => refuse(error.message))
      parser.once('finish', resolve)
      request.once('error', reject)
      request.once('close', () => {
        if (!request.complete) reject(new AppError('invalid_request', { reason: 'the connection broke' }))
      })
      request.pipe(parser)
    })
    if (!taking) throw invalidForm(`there is no file in the field ${fileField}`)
    return { fields, file: await taking }
  } catch (error) {
    fileStream?.destroy(error instanceof Error ? error : new Error('the form was refused'))
    await taking?.catch(() => undefined)
    await hearOut(request)
    if (taken) undo(taken.file)
    throw error
  }
}

function parserFor(request: IncomingMessage) {
  try {
    return new Busboy({
      headers: request.headers as BusboyHeaders,
      limits: { fields: MAX_FIELDS, parts: MAX_FIELDS + 2, fieldSize: MAX_FIELD_BYTES, headerPairs: 20 }
    })
  } catch (error) {
    throw invalidForm(error instanceof Error ? error.message : 'it cannot be read')
  }
}

function invalidForm(message: string): AppError {
  return new AppError('invalid_request', { in: 'form', issues: [{ path: '', message }] })
}

/** Lets the client finish its sentence, within reason. */
async function hearOut(request: IncomingMessage): Promise<void> {
  request.unpipe()
  if (request.complete || request.destroyed) return
  request.resume()
  await new Promise<void>((resolve) => {
    const timer = setTimeout(resolve, HEAR_OUT_MS)
    const end = (): void => {
      clearTimeout(timer)
      resolve()
    }
    request.once('end', end)
    request.once('close', end)
  })
}
