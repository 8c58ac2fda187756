import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Client, FoundClient } from './client.ts'
import { driverSettings } from './driver.ts'
import { candidates, runDriver, versionOf } from './programs.ts'

export const boto3: Client = {
  name: 'boto3',
  foundBy: '`python3` in PATH with boto3, or a Python of FLIGHTCASE_CLIENT_BOTO3',
  async find() {
    const found: FoundClient[] = []
    for (const python of candidates('FLIGHTCASE_CLIENT_BOTO3', 'python3')) {
      const version = await versionOf(python, ['-c', 'import boto3; print(boto3.__version__)'], /(\S+)/)
      if (version === null) continue
      found.push({
        version,
        async run(site, tell) {
          const script = join(site.directory, 'driver.py')
          await writeFile(script, DRIVER)
          await runDriver(python, [script], { home: site.directory, env: driverSettings(site) }, tell)
        }
      })
    }
    return found
  }
}

const DRIVER = `
import hashlib, io, json, os, sys, urllib.error, urllib.request
import boto3
from boto3.s3.transfer import TransferConfig
from botocore.config import Config
from botocore.exceptions import ClientError

S = json.loads(os.environ['SITE'])
KIND, BUCKET, PREFIX = S['kind'], S['bucket'], S['prefix']
KEYS = dict(aws_access_key_id=S['accessKeyId'], aws_secret_access_key=S['secretAccessKey'],
            aws_session_token=S['sessionToken'] or None, region_name=S['region'])
RETRIES = {'max_attempts': 1}

def client(service='s3', endpoint=None, **config):
    endpoint = endpoint or S['endpoint']
    verify = S['caFile'] if endpoint.startswith('https') else None
    return boto3.client(service, endpoint_url=endpoint, verify=verify, config=Config(retries=RETRIES, **config), **KEYS)

s3 = client(signature_version='s3v4', s3={'addressing_style': 'path'})
CHECKS = []

def check(name, *kinds, when=True):
    def add(function):
        if when and KIND in (kinds or ('long-term', 'session')): CHECKS.append((name, function))
        return function
    return add

def key(name): return PREFIX + '/' + name
def read(name, **more): return s3.get_object(Bucket=BUCKET, Key=key(name), **more)['Body'].read()
def sha(file):
    with open(file, 'rb') as stream: return hashlib.file_digest(stream, 'sha256').hexdigest()

def refused(code, call, *args, **more):
    try: call(*args, **more)
    except ClientError as error:
        got = error.response['Error']['Code']
        assert got in code.split('|'), got
        return error
    raise AssertionError('was not refused')

def fetch(url, method='GET', data=None):
    try:
        with urllib.request.urlopen(urllib.request.Request(url, data=data, method=method)) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as error: return error.code, error.read()

class Forward(io.RawIOBase):
    """A body that can neither be rewound nor measured."""
    def __init__(self, size): self.left = size
    def readable(self): return True
    def seekable(self): return False
    def read(self, size=-1):
        size = self.left if size is None or size < 0 else min(size, self.left)
        self.left -= size
        return b'f' * size

@check('put_object, head_object, get_object with metadata')
def _():
    s3.put_object(Bucket=BUCKET, Key=key('a'), Body=b'hello', ContentType='image/jpeg', Metadata={'note': 'x y'})
    head = s3.head_object(Bucket=BUCKET, Key=key('a'))
    assert (head['ContentLength'], head['ContentType'], head['Metadata']) == (5, 'image/jpeg', {'note': 'x y'})
    assert read('a') == b'hello' and read('a', Range='bytes=1-2') == b'el'
    s3.put_object(Bucket=BUCKET, Key=key('empty'), Body=b'')
    assert read('empty') == b''

@check('special keys come back as they went')
def _():
    names = [' ', '"', '$', '%', '&', "'", '<', '>', '_', '_ ', '_ _', '__', '+', 'a+b c', 'e\\u0301', '\\u00e9', '\\U0001f681', '%41', '?x=1', '#1',
             'a//b', 'b\\\\c', 'x;y=z,@:!*()[]{}|^~\`']
    keys = sorted(key('special/' + name) for name in names)
    for name in keys: s3.put_object(Bucket=BUCKET, Key=name, Body=name.encode())
    for arguments in ({}, {'EncodingType': 'url'}):
        pages = s3.get_paginator('list_objects_v2').paginate(Bucket=BUCKET, Prefix=key('special/'), PaginationConfig={'PageSize': 7}, **arguments)
        listed = [entry['Key'] for page in pages for entry in page.get('Contents', [])]
        if not arguments: assert sorted(listed) == keys, set(listed) ^ set(keys)
    for name in keys: assert s3.get_object(Bucket=BUCKET, Key=name)['Body'].read() == name.encode(), name
    for at in range(0, len(keys)): s3.copy_object(Bucket=BUCKET, Key=key('copied/%d' % at), CopySource={'Bucket': BUCKET, 'Key': keys[at]})
    for at in range(0, len(keys)): assert read('copied/%d' % at) == keys[at].encode()
    answer = s3.delete_objects(Bucket=BUCKET, Delete={'Objects': [{'Key': name} for name in keys]})
    assert sorted(entry['Key'] for entry in answer['Deleted']) == keys and not answer.get('Errors')
    assert s3.list_objects_v2(Bucket=BUCKET, Prefix=key('special/'))['KeyCount'] == 0

@check('upload_file, download_file and copy of a large file in parts')
def _():
    config = TransferConfig(multipart_threshold=8 << 20, multipart_chunksize=8 << 20, max_concurrency=4)
    s3.upload_file(S['film'], BUCKET, key('film'), Config=config)
    back = S['directory'] + '/film'
    s3.download_file(BUCKET, key('film'), back, Config=config)
    assert sha(back) == sha(S['film'])
    s3.copy({'Bucket': BUCKET, 'Key': key('film')}, BUCKET, key('film-copy'), Config=config)
    s3.download_file(BUCKET, key('film-copy'), back, Config=config)
    assert sha(back) == sha(S['film'])
    os.remove(back)

@check('upload_fileobj and download_fileobj of a stream that cannot be rewound')
def _():
    s3.upload_fileobj(Forward(19_000_000), BUCKET, key('forward'))
    into = io.BytesIO()
    s3.download_fileobj(BUCKET, key('forward'), into)
    assert into.getvalue() == b'f' * 19_000_000

@check('put_object of a stream that cannot be rewound, over https', when=bool(S['secureEndpoint']))
def _():
    for config in ({}, {'request_checksum_calculation': 'when_required', 'response_checksum_validation': 'when_required'}):
        secure = client(endpoint=S['secureEndpoint'], signature_version='s3v4', s3={'addressing_style': 'path'}, **config)
        secure.put_object(Bucket=BUCKET, Key=key('secure'), Body=b'x' * 3_000_000)
        assert secure.get_object(Bucket=BUCKET, Key=key('secure'))['Body'].read() == b'x' * 3_000_000
        if not config: secure.put_object(Bucket=BUCKET, Key=key('secure'), Body=Forward(3_000_000), ContentLength=3_000_000)
        if not config: assert secure.get_object(Bucket=BUCKET, Key=key('secure'))['Body'].read() == b'f' * 3_000_000

@check('every checksum, whole and of parts')
def _():
    for algorithm in ('CRC32', 'CRC32C', 'SHA1', 'SHA256'):
        try: put = s3.put_object(Bucket=BUCKET, Key=key('sum'), Body=b'sum', ChecksumAlgorithm=algorithm)
        except Exception as error:
            if 'Missing Dependency' in str(error): continue
            raise
        got = s3.get_object(Bucket=BUCKET, Key=key('sum'), ChecksumMode='ENABLED')
        assert got['Checksum' + algorithm] == put['Checksum' + algorithm] and got['Body'].read() == b'sum'
        upload = s3.create_multipart_upload(Bucket=BUCKET, Key=key('parts'), ChecksumAlgorithm=algorithm)
        parts = []
        for number, body in ((1, b'1' * (5 << 20)), (2, b'2')):
            part = s3.upload_part(Bucket=BUCKET, Key=key('parts'), UploadId=upload['UploadId'], PartNumber=number, Body=body, ChecksumAlgorithm=algorithm)
            parts.append({'PartNumber': number, 'ETag': part['ETag'], 'Checksum' + algorithm: part['Checksum' + algorithm]})
        done = s3.complete_multipart_upload(Bucket=BUCKET, Key=key('parts'), UploadId=upload['UploadId'], MultipartUpload={'Parts': parts})
        assert done['Checksum' + algorithm].endswith('-2'), done

@check('conditional writes and reads')
def _():
    first = s3.put_object(Bucket=BUCKET, Key=key('once'), Body=b'1', IfNoneMatch='*')
    refused('PreconditionFailed', s3.put_object, Bucket=BUCKET, Key=key('once'), Body=b'2', IfNoneMatch='*')
    s3.put_object(Bucket=BUCKET, Key=key('once'), Body=b'3', IfMatch=first['ETag'])
    refused('PreconditionFailed', s3.put_object, Bucket=BUCKET, Key=key('once'), Body=b'4', IfMatch=first['ETag'])
    refused('PreconditionFailed', s3.get_object, Bucket=BUCKET, Key=key('once'), IfMatch=first['ETag'])
    assert read('once') == b'3'

@check('multipart uploads are listed, resumed and aborted')
def _():
    upload = s3.create_multipart_upload(Bucket=BUCKET, Key=key('resumed'))['UploadId']
    at = dict(Bucket=BUCKET, Key=key('resumed'), UploadId=upload)
    s3.upload_part(PartNumber=1, Body=b'1' * (5 << 20), **at)
    assert [entry['UploadId'] for entry in s3.list_multipart_uploads(Bucket=BUCKET, Prefix=key('resumed')).get('Uploads', [])] == [upload]
    done = {part['PartNumber']: part['ETag'] for part in s3.list_parts(**at)['Parts']}
    done[2] = s3.upload_part(PartNumber=2, Body=b'2', **at)['ETag']
    s3.complete_multipart_upload(MultipartUpload={'Parts': [{'PartNumber': n, 'ETag': tag} for n, tag in sorted(done.items())]}, **at)
    assert s3.head_object(Bucket=BUCKET, Key=key('resumed'))['ContentLength'] == (5 << 20) + 1
    other = s3.create_multipart_upload(Bucket=BUCKET, Key=key('resumed'))['UploadId']
    s3.abort_multipart_upload(Bucket=BUCKET, Key=key('resumed'), UploadId=other)
    refused('NoSuchUpload', s3.upload_part, Bucket=BUCKET, Key=key('resumed'), UploadId=other, PartNumber=1, Body=b'x')

@check('links of version 4 to read and to write')
def _():
    url = s3.generate_presigned_url('put_object', Params={'Bucket': BUCKET, 'Key': key('link +e')})
    status, said = fetch(url, 'PUT', b'by link')
    assert status == 200, said
    assert fetch(s3.generate_presigned_url('get_object', Params={'Bucket': BUCKET, 'Key': key('link +e')})) == (200, b'by link')
    named = s3.generate_presigned_url('get_object', Params={'Bucket': BUCKET, 'Key': key('link +e'), 'ResponseContentDisposition': 'attachment; filename="a b"'})
    with urllib.request.urlopen(named) as answer: assert answer.headers['content-disposition'] == 'attachment; filename="a b"'
    assert fetch(url.replace('link', 'lynk'), 'PUT', b'x')[0] == 403

@check('a link of version 2 is refused clearly', when=S['isOurs'])
def _():
    old = client(signature_version='s3', s3={'addressing_style': 'path'})
    status, said = fetch(old.generate_presigned_url('get_object', Params={'Bucket': BUCKET, 'Key': key('a')}))
    assert status == 400 and b'AWS4-HMAC-SHA256' in said, said

@check('default client, as a newcomer makes it')
def _():
    plain = client()
    plain.put_object(Bucket=BUCKET, Key=key('plain'), Body=b'plain')
    assert plain.get_object(Bucket=BUCKET, Key=key('plain'))['Body'].read() == b'plain'

@check('buckets', 'long-term')
def _():
    name = PREFIX.replace('/', '-')
    s3.create_bucket(Bucket=name)
    assert name in [bucket['Name'] for bucket in s3.list_buckets()['Buckets']]
    s3.put_object(Bucket=name, Key='x', Body=b'x')
    refused('BucketNotEmpty', s3.delete_bucket, Bucket=name)
    s3.delete_object(Bucket=name, Key='x')
    s3.delete_bucket(Bucket=name)
    refused('NoSuchBucket', s3.list_objects_v2, Bucket=name)

@check('assume_role with a policy of its own', 'long-term')
def _():
    policy = {'Version': '2012-10-17', 'Statement': [{'Effect': 'Allow', 'Action': ['s3:PutObject'], 'Resource': ['arn:aws:s3:::%s/%s/role/*' % (BUCKET, PREFIX)]}]}
    issued = client('sts').assume_role(RoleArn='arn:aws:iam::000000000000:role/clients', RoleSessionName='boto3', DurationSeconds=900, Policy=json.dumps(policy))['Credentials']
    keys = dict(aws_access_key_id=issued['AccessKeyId'], aws_secret_access_key=issued['SecretAccessKey'], aws_session_token=issued['SessionToken'], region_name=S['region'])
    held = boto3.client('s3', endpoint_url=S['endpoint'], config=Config(retries=RETRIES, s3={'addressing_style': 'path'}), **keys)
    held.put_object(Bucket=BUCKET, Key=key('role/x'), Body=b'x')
    refused('AccessDenied', held.put_object, Bucket=BUCKET, Key=key('other'), Body=b'x')
    refused('AccessDenied', held.get_object, Bucket=BUCKET, Key=key('role/x'))

@check('deletes 1000 objects at once')
def _():
    keys = [key('many/%04d' % number) for number in range(1000)]
    s3.put_object(Bucket=BUCKET, Key=keys[0], Body=b'')
    s3.put_object(Bucket=BUCKET, Key=keys[999], Body=b'')
    answer = s3.delete_objects(Bucket=BUCKET, Delete={'Objects': [{'Key': name} for name in keys]})
    assert len(answer['Deleted']) == 1000 and not answer.get('Errors')

@check('uploads, small and in parts', 'upload-only')
def _():
    s3.put_object(Bucket=BUCKET, Key=key('a'), Body=b'a')
    s3.upload_file(S['clip'], BUCKET, key('clip'))

@check('is refused to read, to list and to delete', 'upload-only')
def _():
    refused('AccessDenied', s3.get_object, Bucket=BUCKET, Key=key('a'))
    refused('403', s3.head_object, Bucket=BUCKET, Key=key('a'))
    refused('AccessDenied', s3.list_objects_v2, Bucket=BUCKET, Prefix=PREFIX)
    refused('AccessDenied', s3.delete_object, Bucket=BUCKET, Key=key('a'))

@check('is refused outside of its prefix, and to pass its rights on', 'session', 'upload-only')
def _():
    at = dict(Bucket=BUCKET, Key=S['foreignKey'])
    refused('AccessDenied', s3.put_object, Body=b'x', **at)
    refused('AccessDenied', s3.get_object, **at)
    refused('AccessDenied', s3.delete_object, **at)
    refused('AccessDenied', s3.create_multipart_upload, **at)
    refused('AccessDenied', s3.copy_object, Bucket=BUCKET, Key=key('stolen'), CopySource={'Bucket': BUCKET, 'Key': S['foreignKey']})
    refused('AccessDenied', client('sts').assume_role, RoleArn='arn:aws:iam::000000000000:role/clients', RoleSessionName='boto3')

for name, function in CHECKS:
    error = None
    try: function()
    except Exception as problem: error = '%s: %s' % (type(problem).__name__, problem)
    print(json.dumps({'check': name, 'error': error}), flush=True)
`
