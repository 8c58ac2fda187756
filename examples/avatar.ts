// The life of a user's picture: uploaded, shown by links that expire, replaced, and gone when nobody needs it any more.
// Run it against a base: node avatar.js http://127.0.0.1:8701 TOKEN
import { createClient } from '@flightcase/client'
import { getAsset } from '@flightcase/client/api/assets.js'
import { deleteReferences } from '@flightcase/client/api/references.js'

const [baseUrl = 'http://127.0.0.1:8701', token = ''] = process.argv.slice(2)
const flightcase = createClient({ baseUrl, token })

/** What an application keeps of a user: the id of the picture, never an address. */
const user = { id: 'user-17', avatarFileId: '' }
const holder = { namespace: 'user_avatars', owner: user.id, externalId: 'avatar' }

// Uploading makes the reference that holds the picture, in one call.
const first = await flightcase.upload(picture('one'), { name: 'avatar_user-17.png', ...holder })
user.avatarFileId = first.asset.id
console.log(JSON.stringify({ step: 'uploaded', fileId: user.avatarFileId, isDuplicate: first.isDuplicate }))

// To show it, ask for an address that is good for an hour. Whoever has the address needs no token.
const { url } = await flightcase.fileUrl(user.avatarFileId, { expiresInSeconds: 3600 })
const shown = await fetch(new URL(url, baseUrl))
console.log(JSON.stringify({ step: 'shown', status: shown.status, bytes: (await shown.arrayBuffer()).byteLength }))

// A new picture: first it is stored, then the user has it, then the old one is let go.
const second = await flightcase.upload(picture('two'), { name: 'avatar_user-17.png', ...holder })
const oldFileId = user.avatarFileId
user.avatarFileId = second.asset.id
const old = await flightcase.call(getAsset, { params: { assetId: oldFileId } })
await flightcase.call(deleteReferences, {
  body: { referenceIds: old.references.filter(({ owner }) => owner === user.id).map(({ id }) => id) }
})
const left = await flightcase.call(getAsset, { params: { assetId: oldFileId } })
console.log(
  JSON.stringify({ step: 'replaced', fileId: user.avatarFileId, old: { fileId: oldFileId, state: left.state } })
)

/** A PNG of one pixel, with a comment that makes the bytes different. */
function picture(comment: string): Blob {
  const png = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=='
  return new Blob([Buffer.from(png, 'base64'), comment], { type: 'image/png' })
}
