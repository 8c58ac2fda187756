import { existsSync } from 'node:fs'
import { copyFile, mkdir, readFile, writeFile } from 'node:fs/promises'
import { homedir } from 'node:os'
import { join } from 'node:path'
import type { Client, FoundClient, Site } from './client.ts'
import { driverSettings } from './driver.ts'
import { candidates, runDriver, runProgram, versionOf } from './programs.ts'

export const minioGo: Client = {
  name: 'minio-go',
  foundBy: 'a Go module that requires github.com/minio/minio-go/v7, named by FLIGHTCASE_CLIENT_MINIO_GO',
  async find() {
    const found: FoundClient[] = []
    for (const module of candidates('FLIGHTCASE_CLIENT_MINIO_GO')) {
      if (!existsSync(join(module, 'go.sum')) || (await versionOf('go', ['version'], /(go\S+)/)) === null) continue
      const version =
        /minio-go\/v7 v(\S+)/.exec(await readFile(join(module, 'go.mod'), 'utf8'))?.[1] ?? 'unknown version'
      found.push({
        version,
        async run(site, tell) {
          const program = await build(module, site)
          const env = { ...driverSettings(site), SSL_CERT_FILE: site.secure?.caFile ?? '' }
          await runDriver(program, [], { home: site.directory, env }, tell)
        }
      })
    }
    return found
  }
}

async function build(module: string, site: Site): Promise<string> {
  const directory = join(site.directory, 'driver')
  await mkdir(directory)
  for (const file of ['go.mod', 'go.sum']) await copyFile(join(module, file), join(directory, file))
  await writeFile(join(directory, 'main.go'), DRIVER)
  const program = join(directory, 'driver')
  // At home, where Go has its caches.
  await runProgram('go', ['build', '-C', directory, '-mod=mod', '-o', program, '.'], { home: homedir() })
  return program
}

const DRIVER = `
package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"
)

var site struct {
	Endpoint, SecureEndpoint, Region, Bucket, Prefix, ForeignKey, Kind, AccessKeyId, SecretAccessKey, SessionToken, Directory, Film, Clip string
}
var ctx = context.Background()

func key(name string) string { return site.Prefix + "/" + name }

func client(endpoint string, options minio.Options) *minio.Client {
	at, _ := url.Parse(endpoint)
	options.Secure = at.Scheme == "https"
	if options.Creds == nil {
		options.Creds = credentials.NewStaticV4(site.AccessKeyId, site.SecretAccessKey, site.SessionToken)
	}
	made, err := minio.New(at.Host, &options)
	must(err)
	return made
}

func must(err error) {
	if err != nil {
		panic(err)
	}
}

func same(got, want any) {
	if fmt.Sprint(got) != fmt.Sprint(want) {
		panic(fmt.Errorf("%v instead of %v", got, want))
	}
}

func denied(err error) {
	if minio.ToErrorResponse(err).Code != minio.AccessDenied {
		panic(fmt.Errorf("not refused: %v", err))
	}
}

func read(c *minio.Client, name string) []byte {
	object, err := c.GetObject(ctx, site.Bucket, key(name), minio.GetObjectOptions{})
	must(err)
	content, err := io.ReadAll(object)
	must(err)
	return content
}

func sum(file string) [32]byte {
	content, err := os.ReadFile(file)
	must(err)
	return sha256.Sum256(content)
}

// A body that can neither be rewound nor measured.
func stream(size int) io.Reader { return io.LimitReader(neverEnding{}, int64(size)) }

type neverEnding struct{}

func (neverEnding) Read(into []byte) (int, error) {
	for i := range into {
		into[i] = 'f'
	}
	return len(into), nil
}

func streams(c *minio.Client, options minio.PutObjectOptions) {
	_, err := c.PutObject(ctx, site.Bucket, key("known"), strings.NewReader("known"), 5, options)
	must(err)
	same(string(read(c, "known")), "known")
	_, err = c.PutObject(ctx, site.Bucket, key("large"), stream(19_000_000), 19_000_000, options)
	must(err)
	same(bytes.Count(read(c, "large"), []byte("f")), 19_000_000)
	options.PartSize = 6 << 20
	_, err = c.PutObject(ctx, site.Bucket, key("unknown"), stream(19_000_001), -1, options)
	must(err)
	same(bytes.Count(read(c, "unknown"), []byte("f")), 19_000_001)
}

func film(c *minio.Client, options minio.PutObjectOptions) {
	_, err := c.FPutObject(ctx, site.Bucket, key("film"), site.Film, options)
	must(err)
	back := site.Directory + "/film"
	must(c.FGetObject(ctx, site.Bucket, key("film"), back, minio.GetObjectOptions{}))
	same(sum(back), sum(site.Film))
	must(os.Remove(back))
}

func list(c *minio.Client, options minio.ListObjectsOptions) []string {
	options.Prefix, options.Recursive = key(""), true
	names := []string{}
	for entry := range c.ListObjects(ctx, site.Bucket, options) {
		must(entry.Err)
		names = append(names, entry.Key)
	}
	slices.Sort(names)
	return names
}

func fetch(method string, link *url.URL, body string) string {
	request, err := http.NewRequest(method, link.String(), strings.NewReader(body))
	must(err)
	answer, err := http.DefaultClient.Do(request)
	must(err)
	said, err := io.ReadAll(answer.Body)
	must(err)
	return fmt.Sprint(answer.StatusCode, " ", string(said))
}

func main() {
	must(json.Unmarshal([]byte(os.Getenv("SITE")), &site))
	s3 := client(site.Endpoint, minio.Options{Region: site.Region})
	check := func(name, kinds string, run func()) {
		if !slices.Contains(strings.Split(kinds, " "), site.Kind) {
			return
		}
		var failure *string
		func() {
			defer func() {
				if problem := recover(); problem != nil {
					text := fmt.Sprint(problem)
					failure = &text
				}
			}()
			run()
		}()
		line, _ := json.Marshal(map[string]any{"check": name, "error": failure})
		fmt.Println(string(line))
	}
	both := "long-term session"

	check("puts, stats, reads a range and copies", both, func() {
		_, err := s3.PutObject(ctx, site.Bucket, key("a +é"), strings.NewReader("hello"), 5, minio.PutObjectOptions{ContentType: "image/jpeg", UserMetadata: map[string]string{"note": "x y"}})
		must(err)
		stat, err := s3.StatObject(ctx, site.Bucket, key("a +é"), minio.StatObjectOptions{})
		must(err)
		same([]any{stat.Size, stat.ContentType, stat.UserMetadata["Note"]}, []any{5, "image/jpeg", "x y"})
		object, err := s3.GetObject(ctx, site.Bucket, key("a +é"), minio.GetObjectOptions{})
		must(err)
		two := make([]byte, 2)
		_, err = object.ReadAt(two, 1)
		must(err)
		same(string(two), "el")
		_, err = s3.CopyObject(ctx, minio.CopyDestOptions{Bucket: site.Bucket, Object: key("copy")}, minio.CopySrcOptions{Bucket: site.Bucket, Object: key("a +é")})
		must(err)
		same(string(read(s3, "copy")), "hello")
	})
	check("puts streams of known and of unknown length", both, func() { streams(s3, minio.PutObjectOptions{}) })
	check("the same with MD5 instead of checksums, and with SHA-256 off", both, func() {
		streams(s3, minio.PutObjectOptions{SendContentMd5: true})
		streams(s3, minio.PutObjectOptions{DisableContentSha256: true})
	})
	check("the same with every checksum", both, func() {
		for _, sums := range []minio.ChecksumType{minio.ChecksumCRC32, minio.ChecksumCRC32C, minio.ChecksumSHA1, minio.ChecksumSHA256, minio.ChecksumCRC64NVME, minio.ChecksumFullObjectCRC32, minio.ChecksumFullObjectCRC32C} {
			trailing := client(site.Endpoint, minio.Options{Region: site.Region, TrailingHeaders: true})
			streams(trailing, minio.PutObjectOptions{Checksum: sums})
		}
	})
	check("the same with four parts at once", both, func() {
		streams(s3, minio.PutObjectOptions{ConcurrentStreamParts: true, NumThreads: 4, PartSize: 5 << 20})
	})
	check("puts a large file in parts", both, func() { film(s3, minio.PutObjectOptions{PartSize: 5 << 20}) })
	check("finds the region by itself", both, func() { streams(client(site.Endpoint, minio.Options{}), minio.PutObjectOptions{}) })
	if site.SecureEndpoint != "" {
		check("the same over https", both, func() {
			for _, trailing := range []bool{false, true} {
				secure := client(site.SecureEndpoint, minio.Options{Region: site.Region, TrailingHeaders: trailing})
				streams(secure, minio.PutObjectOptions{})
				film(secure, minio.PutObjectOptions{})
			}
		})
	}
	check("composes an object of others", both, func() {
		from := minio.CopySrcOptions{Bucket: site.Bucket, Object: key("large")}
		_, err := s3.ComposeObject(ctx, minio.CopyDestOptions{Bucket: site.Bucket, Object: key("composed")}, from, from)
		must(err)
		same(len(read(s3, "composed")), 38_000_000)
	})
	check("lists in both ways", both, func() {
		want := []string{}
		for _, name := range []string{"a +é", "composed", "copy", "film", "known", "large", "unknown"} {
			want = append(want, key(name))
		}
		for _, options := range []minio.ListObjectsOptions{{}, {UseV1: true}, {MaxKeys: 2}, {WithVersions: true}} {
			same(list(s3, options), want)
		}
	})
	check("lists and removes an upload that was not completed", both, func() {
		core := minio.Core{Client: s3}
		_, err := core.NewMultipartUpload(ctx, site.Bucket, key("begun"), minio.PutObjectOptions{})
		must(err)
		begun := func() (names []string) {
			for upload := range s3.ListIncompleteUploads(ctx, site.Bucket, key("begun"), true) {
				must(upload.Err)
				names = append(names, upload.Key)
			}
			return
		}
		same(begun(), []string{key("begun")})
		must(s3.RemoveIncompleteUpload(ctx, site.Bucket, key("begun")))
		same(len(begun()), 0)
	})
	check("links to read and to write", both, func() {
		link, err := s3.PresignedPutObject(ctx, site.Bucket, key("link +"), time.Minute)
		must(err)
		same(fetch("PUT", link, "by link"), "200 ")
		link, err = s3.PresignedGetObject(ctx, site.Bucket, key("link +"), time.Minute, url.Values{"response-content-type": {"text/x"}})
		must(err)
		same(fetch("GET", link, ""), "200 by link")
	})
	check("writes only when absent", both, func() {
		once := minio.PutObjectOptions{}
		once.SetMatchETagExcept("*")
		_, err := s3.PutObject(ctx, site.Bucket, key("once"), strings.NewReader("1"), 1, once)
		must(err)
		_, err = s3.PutObject(ctx, site.Bucket, key("once"), strings.NewReader("2"), 1, once)
		same(minio.ToErrorResponse(err).Code, minio.PreconditionFailed)
	})
	check("removes one and many", both, func() {
		must(s3.RemoveObject(ctx, site.Bucket, key("copy"), minio.RemoveObjectOptions{}))
		all := make(chan minio.ObjectInfo)
		go func() {
			for _, name := range list(s3, minio.ListObjectsOptions{}) {
				all <- minio.ObjectInfo{Key: name}
			}
			close(all)
		}()
		for failed := range s3.RemoveObjects(ctx, site.Bucket, all, minio.RemoveObjectsOptions{}) {
			must(failed.Err)
		}
		same(len(list(s3, minio.ListObjectsOptions{})), 0)
	})
	check("makes and removes a bucket", "long-term", func() {
		name := strings.ReplaceAll(site.Prefix, "/", "-")
		must(s3.MakeBucket(ctx, name, minio.MakeBucketOptions{Region: site.Region}))
		must(s3.RemoveBucket(ctx, name))
		exists, err := s3.BucketExists(ctx, name)
		must(err)
		same(exists, false)
	})
	check("assumes a role by itself", "long-term", func() {
		policy := fmt.Sprintf("{\\"Version\\":\\"2012-10-17\\",\\"Statement\\":[{\\"Effect\\":\\"Allow\\",\\"Action\\":[\\"s3:PutObject\\"],\\"Resource\\":[\\"arn:aws:s3:::%s/%s*\\"]}]}", site.Bucket, key("role/"))
		role, err := credentials.NewSTSAssumeRole(site.Endpoint, credentials.STSAssumeRoleOptions{AccessKey: site.AccessKeyId, SecretKey: site.SecretAccessKey, Policy: policy, DurationSeconds: 900})
		must(err)
		held := client(site.Endpoint, minio.Options{Region: site.Region, Creds: role})
		_, err = held.PutObject(ctx, site.Bucket, key("role/x"), strings.NewReader("x"), 1, minio.PutObjectOptions{})
		must(err)
		_, err = held.PutObject(ctx, site.Bucket, key("other"), strings.NewReader("x"), 1, minio.PutObjectOptions{})
		denied(err)
	})
	check("uploads, small, in parts and of unknown length", "upload-only", func() {
		_, err := s3.PutObject(ctx, site.Bucket, key("a"), strings.NewReader("a"), 1, minio.PutObjectOptions{})
		must(err)
		_, err = s3.FPutObject(ctx, site.Bucket, key("clip"), site.Clip, minio.PutObjectOptions{})
		must(err)
		_, err = s3.PutObject(ctx, site.Bucket, key("stream"), stream(9_000_000), -1, minio.PutObjectOptions{PartSize: 5 << 20})
		must(err)
	})
	check("is refused to read, to list and to delete", "upload-only", func() {
		_, err := s3.StatObject(ctx, site.Bucket, key("a"), minio.StatObjectOptions{})
		denied(err)
		for entry := range s3.ListObjects(ctx, site.Bucket, minio.ListObjectsOptions{Prefix: key("")}) {
			denied(entry.Err)
		}
		denied(s3.RemoveObject(ctx, site.Bucket, key("a"), minio.RemoveObjectOptions{}))
	})
	check("is refused outside of its prefix, and to pass its rights on", "session upload-only", func() {
		_, err := s3.PutObject(ctx, site.Bucket, site.ForeignKey, strings.NewReader("x"), 1, minio.PutObjectOptions{})
		denied(err)
		_, err = s3.StatObject(ctx, site.Bucket, site.ForeignKey, minio.StatObjectOptions{})
		denied(err)
		denied(s3.RemoveObject(ctx, site.Bucket, site.ForeignKey, minio.RemoveObjectOptions{}))
		role, err := credentials.NewSTSAssumeRole(site.Endpoint, credentials.STSAssumeRoleOptions{AccessKey: site.AccessKeyId, SecretKey: site.SecretAccessKey, SessionToken: site.SessionToken, DurationSeconds: 900})
		must(err)
		if _, err = role.GetWithContext(nil); err == nil {
			panic(errors.New("a session made a session"))
		}
	})
}
`
