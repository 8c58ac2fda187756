import { expect, test } from 'vitest'
import { Bench } from './conformance-bench.ts'

/** Each group of cases is held in the test file of its name. */
type Group = 'fast-upload' | 'tiny-fingerprints' | 'upload-callback' | 'group-upload-callback' | 'sts' | 'every-call'

/**
 * What Pilot 2's media module must get from us: id, group, request, expected answer, effect. Unless said otherwise the
 * workspace is WS, the token valid, store and catalogue empty, the store up; FP and TF are the full and the tiny
 * fingerprint of the file that is uploaded to key K.
 */
// biome-ignore format: a case is a line
const TABLE: readonly (readonly [id: string, group: Group, request: string, expected: string, effect: string])[] = [
  ['C01', 'fast-upload', 'fast-upload FP, unknown', "200, code -1, `FP don't exist.`, data ``", 'no row'],
  ['C02', 'upload-callback', 'upload-callback FP/TF/K, object K exists', '200, code 0, data K', 'one row, tiny = TF, metadata columns filled'],
  ['C03', 'fast-upload', 'fast-upload FP after C02', '200, code 0, data.object_key = K', 'none; exactly one HEAD'],
  ['C04', 'tiny-fingerprints', 'tiny-fingerprints [TF,"x"] after C02', '200, data.tiny_fingerprints = [TF]', 'none'],
  ['C05', 'fast-upload', 'delete object K in S3, then fast-upload FP', '200, code -1', 'row deleted'],
  ['C06', 'tiny-fingerprints', 'as C05 but tiny-fingerprints [TF]', '200, []', 'row deleted'],
  ['C07', 'fast-upload', 'S3 down (connection refused), row exists, fast-upload FP', '200, code -1', 'row kept'],
  ['C08', 'tiny-fingerprints', 'S3 HEAD answers 403, row exists, tiny-fingerprints [TF]', '200, [], never 5xx', 'row kept'],
  ['C09', 'upload-callback', 'same callback as C02 sent twice', '200 code 0 twice', 'still one row; one "arrived" event'],
  ['C10', 'upload-callback', 'callback same FP, new key K2 (object exists)', '200, data K2', 'row updated to K2'],
  ['C11', 'fast-upload', 'callback FP in WS, then fast-upload FP in WS-B', '200, code -1', 'WS row untouched'],
  ['C12', 'upload-callback', 'callback FP in WS and in WS-B with own keys', '200 twice', 'two rows'],
  ['C13', 'upload-callback', 'callback, object does not exist', '404, code 404 `object not found`', 'no row'],
  ['C14', 'upload-callback', 'callback while S3 is down', '502, code 502 `object check failed`', 'no row'],
  ['C15', 'upload-callback', 'callback without object_key', '400 `missing object_key`', 'none'],
  ['C16', 'upload-callback', 'callback without fingerprint, object exists', '200, code 0', 'no dedupe row; asset listed by key'],
  ['C17', 'upload-callback', 'callback result: 1 (with and without object_key)', '200, code 0', 'no row, no HEAD'],
  ['C18', 'upload-callback', 'callback without result, object exists', '200, code 0', 'row (legacy Pilot)'],
  ['C19', 'upload-callback', 'callback with object_key media/WS/../../etc/passwd', '400 `invalid object_key`', 'no HEAD, no row'],
  ['C20', 'upload-callback', "callback with key under another workspace's root", '400 `invalid object_key`', 'no row'],
  ['C21', 'upload-callback', 'callback key with leading /, with //, with NUL, with backslash', '400 each', 'none'],
  ['C22', 'upload-callback', 'name = ../../x.JPG, valid key', '200', 'row stores the name verbatim; no file system access outside the data dir'],
  ['C23', 'upload-callback', 'name/path in Chinese, emoji, RTL; object key contains them, object exists', '200, data equals the key byte for byte', 'row round-trips'],
  ['C24', 'fast-upload', 'fast-upload without fingerprint; and with fingerprint: ""', '400 `missing fingerprint/name`', 'none'],
  ['C25', 'fast-upload', 'fast-upload without name', '400 `missing fingerprint/name`', 'none'],
  ['C26', 'fast-upload', 'fast-upload without ext', 'normal hit/miss', 'none'],
  ['C27', 'every-call', 'body {"fingerprint": (cut)', '400 `invalid json`', 'none'],
  ['C28', 'every-call', 'no x-auth-token; wrong token', '401 `missing…`; 401 `invalid…`', 'none; applies to all five calls'],
  ['C29', 'every-call', 'wrong token and broken JSON', '401', 'none'],
  ['C30', 'every-call', 'header spelled X-AUTH-TOKEN', 'accepted', '—'],
  ['C31', 'tiny-fingerprints', 'tiny-fingerprints with 10 000 entries, 3 known', '200 within 5 s, the 3 in request order', '≤ 3 HEADs'],
  ['C32', 'tiny-fingerprints', 'tiny-fingerprints body of 11 MiB', '413', 'none'],
  ['C33', 'tiny-fingerprints', 'tiny-fingerprints {"tiny_fingerprints":"abc"}', '400 `invalid tiny_fingerprints`', 'none'],
  ['C34', 'tiny-fingerprints', 'tiny-fingerprints {} / null value / []', '200 []', 'none'],
  ['C35', 'tiny-fingerprints', 'tiny-fingerprints [1,null,"",{},TF], TF known', '200 [TF]', 'none'],
  ['C36', 'sts', 'sts, empty body', '200, code 0, every field, expire integer 60…3600, endpoint has scheme and the host of the request', 'none'],
  ['C37', 'sts', 'sts, body {} / garbage body', 'as C36', 'none'],
  ['C38', 'sts', 'put an object with the issued credentials under the prefix; then outside the prefix', '200; 403 AccessDenied', 'object present; absent'],
  ['C39', 'sts', 'sts while the store is down', '500 `sts failed`', 'none'],
  ['C40', 'sts', 'use issued credentials after their real lifetime', 'refused by S3 (400 ExpiredToken, as AWS answers)', 'none'],
  ['C41', 'group-upload-callback', 'group-upload-callback {id,10,4} then {id,10,10}', '200 code 0 twice', 'one group row, complete after the second'],
  ['C42', 'group-upload-callback', 'group-upload-callback without file_group_id', '200 code 0', 'none'],
  ['C43', 'every-call', 'strict mode, unknown workspace, any call', '404 `workspace not found`', 'none'],
  ['C44', 'every-call', 'open mode, unknown but valid workspace, fast-upload', '200, code -1', 'none'],
  ['C45', 'every-call', 'workspace segment ..%2f..%2fetc, or 200 chars', '400 `invalid workspace_id`', 'no DB/S3 access'],
  ['C46', 'every-call', 'token bound to WS used on WS-B', '403 `workspace forbidden`', 'none'],
  ['C47', 'every-call', '//media/api/v1/workspaces/WS/fast-upload', 'same as C01', 'none'],
  ['C48', 'every-call', 'GET on any of the five paths; unknown path', '404 `not found`', 'none'],
  ['C49', 'upload-callback', 'callback with unknown model keys 0-999-7, 1-65535-0', '200', 'row stores them raw'],
  ['C50', 'upload-callback', 'callback with gimbal_yaw_degree "-91.40", created_time "2021-05-10 16:04:20"', '200', 'yaw -91.4; time stored, zone flagged unknown'],
  ['C51', 'upload-callback', 'callback with metadata missing', '200', 'row with nulls; capture time from the name'],
  ['C52', 'upload-callback', 'callback with tiny only as top-level tiny_fingerprint', '200', 'row.tiny set'],
  ['C53', 'upload-callback', 'delete asset in our UI, then fast-upload and tiny-fingerprints for it', 'code -1; []', 'no row'],
  ['C54', 'fast-upload', 'restart daemon between C02 and C03', 'as C03', 'persisted'],
  ['C55', 'every-call', 'GET /health without token', '200 {"code":0,"message":"ok","data":{}}', 'none']
]

/** Holds every case of one group against the server; `runs` must be exactly its cases. */
export function holdConformance(group: Group, runs: Record<string, (bench: Bench) => Promise<void>>): void {
  const rows = TABLE.filter((row) => row[1] === group)
  test(`the cases of ${group} are all held`, () => {
    expect(Object.keys(runs)).toEqual(rows.map(([id]) => id))
  })
  for (const [id, , request, expected, effect] of rows)
    test(`${id} ${request} → ${expected}; ${effect}`, async () => runs[id]?.(await Bench.open()))
}
