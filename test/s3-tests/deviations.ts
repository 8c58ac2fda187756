const PART_NUMBER =
  'A part that an object does not have is 416 InvalidPartNumber, as with Amazon; the suite wants 400 InvalidPart.'
const PUBLIC = 'Its set-up needs a public ACL, which is refused: every request is signed or refused.'
const NOT_SENT = 'The client puts back the header that the test removes, so the condition never arrives.'

/** Tests of ceph/s3-tests (`module::test`) that fail on purpose, and why. */
export const EXPECTED_DEVIATIONS: Readonly<Record<string, string>> = {
  'test_s3::test_multipart_get_part': PART_NUMBER,
  'test_s3::test_multipart_single_get_part': PART_NUMBER,
  'test_s3::test_non_multipart_get_part': PART_NUMBER,
  'test_s3::test_object_raw_get': PUBLIC,
  'test_s3::test_object_raw_authenticated': PUBLIC,
  'test_s3::test_cors_origin_response': PUBLIC,
  'test_s3::test_cors_header_option': PUBLIC,
  'test_s3::test_100_continue': PUBLIC,
  'test_s3::test_access_bucket_publicread_object_private': PUBLIC,
  'test_s3::test_object_raw_put_authenticated_expired':
    'A negative lifetime is malformed (400), as with Amazon; the suite wants 403.',
  'test_s3::test_multipart_resend_first_finishes_last':
    'It names a part twice, first with the ETag of bytes that were replaced: 400 InvalidPart.',
  'test_headers::test_object_create_bad_contentlength_none': NOT_SENT
}
