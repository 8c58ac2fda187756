import { putUploadPart } from '../../../../../shared/api/uploads.ts'
import { endpointUrl, refusalFrom } from '../../../../../shared/api-client.ts'
import { ConnectionLost } from '../engine/patience.ts'
import type { SendPart } from '../engine/transfer.ts'

/** A part that moves no byte for so long is sent again. */
const silenceMs = 45_000

/** Sends a part by XMLHttpRequest, which tells how far it is; `fetch` does not. */
export const sendPartByXhr: SendPart = ({ uploadId, number, bytes, onProgress, signal }) =>
  new Promise((resolve, reject) => {
    const request = new XMLHttpRequest()
    const abort = () => request.abort()
    const watch = createWatch(silenceMs, abort)
    const end = (outcome: () => void) => {
      watch.stop()
      signal.removeEventListener('abort', abort)
      outcome()
    }
    request.upload.onprogress = ({ loaded }) => {
      watch.renew()
      onProgress(loaded)
    }
    request.onload = () =>
      end(() => (request.status === 200 ? resolve() : reject(refusalFrom(request.status, request.response))))
    request.onerror = () => end(() => reject(new ConnectionLost('no answer came')))
    request.onabort = () => end(() => reject(signal.aborted ? signal.reason : new ConnectionLost('nothing moved')))
    request.open(putUploadPart.method, endpointUrl(putUploadPart.path, { params: { uploadId, number } }))
    request.responseType = 'json'
    request.setRequestHeader('content-type', 'application/octet-stream')
    if (signal.aborted) return reject(signal.reason)
    signal.addEventListener('abort', abort)
    watch.renew()
    request.send(bytes)
  })

function createWatch(afterMs: number, onSilence: () => void) {
  let timer: ReturnType<typeof setTimeout> | undefined
  const stop = () => clearTimeout(timer)
  return {
    stop,
    renew() {
      stop()
      timer = setTimeout(onSilence, afterMs)
    }
  }
}
