import { readdir, writeFile } from 'node:fs/promises'
import { delimiter, join } from 'node:path'
import type { Client, FoundClient } from './client.ts'
import { driverSettings } from './driver.ts'
import { candidates, runDriver, versionOf } from './programs.ts'

export const minioJava: Client = {
  name: 'minio-java',
  foundBy: 'a folder with minio-*.jar and all that it needs, named by FLIGHTCASE_CLIENT_MINIO_JAVA, and `java`',
  async find() {
    const found: FoundClient[] = []
    for (const folder of candidates('FLIGHTCASE_CLIENT_MINIO_JAVA')) {
      const names = await readdir(folder).catch(() => [])
      const version = names.map((name) => /^minio-(\d.*)\.jar$/.exec(name)?.[1]).find((one) => one !== undefined)
      if (version === undefined || (await versionOf('java', ['-version'], /"(\S+)"/)) === null) continue
      found.push({
        version,
        async run(site, tell) {
          const source = join(site.directory, 'Driver.java')
          await writeFile(source, DRIVER)
          const classes = [join(folder, '*'), site.directory].join(delimiter)
          await runDriver('java', ['-cp', classes, source], { home: site.directory, env: driverSettings(site) }, tell)
        }
      })
    }
    return found
  }
}

const DRIVER = `
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.minio.*;
import io.minio.credentials.AssumeRoleProvider;
import io.minio.credentials.StaticProvider;
import io.minio.errors.ErrorResponseException;
import io.minio.messages.DeleteRequest;
import java.io.*;
import java.net.URI;
import java.net.http.*;
import java.nio.file.*;
import java.security.KeyStore;
import java.security.MessageDigest;
import java.security.cert.CertificateFactory;
import java.util.*;
import javax.net.ssl.*;
import okhttp3.OkHttpClient;

public class Driver {
  interface Action { void run() throws Exception; }
  static JsonNode site;
  static final ObjectMapper JSON = new ObjectMapper();

  static String of(String name) { return site.get(name).asText(); }
  static String key(String name) { return of("prefix") + "/" + name; }

  static MinioClient.Builder client(String endpoint) throws Exception {
    String token = of("sessionToken");
    MinioClient.Builder builder = MinioClient.builder().endpoint(endpoint)
      .credentialsProvider(new StaticProvider(of("accessKeyId"), of("secretAccessKey"), token.isEmpty() ? null : token));
    return endpoint.startsWith("https") ? builder.httpClient(trusting()) : builder;
  }

  static OkHttpClient trusting() throws Exception {
    KeyStore store = KeyStore.getInstance(KeyStore.getDefaultType());
    store.load(null);
    try (InputStream in = Files.newInputStream(Path.of(of("caFile")))) {
      store.setCertificateEntry("ca", CertificateFactory.getInstance("X.509").generateCertificate(in));
    }
    TrustManagerFactory trust = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
    trust.init(store);
    SSLContext context = SSLContext.getInstance("TLS");
    context.init(null, trust.getTrustManagers(), null);
    return new OkHttpClient.Builder().sslSocketFactory(context.getSocketFactory(), (X509TrustManager) trust.getTrustManagers()[0]).build();
  }

  static void check(String name, String kinds, Action action) throws Exception {
    if (!Arrays.asList(kinds.split(" ")).contains(of("kind"))) return;
    String error = null;
    try { action.run(); } catch (Throwable problem) { error = problem.toString(); }
    System.out.println(JSON.createObjectNode().put("check", name).put("error", error).toString());
  }

  static void same(Object got, Object want) {
    if (!Objects.equals(got, want)) throw new AssertionError(got + " instead of " + want);
  }

  static void denied(Action action) throws Exception {
    try { action.run(); } catch (ErrorResponseException refused) {
      same(refused.errorResponse().code(), "AccessDenied");
      return;
    }
    throw new AssertionError("was not refused");
  }

  static byte[] read(MinioClient s3, String name) throws Exception {
    try (InputStream in = s3.getObject(GetObjectArgs.builder().bucket(of("bucket")).object(key(name)).build())) { return in.readAllBytes(); }
  }

  static void put(MinioClient s3, String name, byte[] bytes, Long size) throws Exception {
    s3.putObject(PutObjectArgs.builder().bucket(of("bucket")).object(name).stream(new ByteArrayInputStream(bytes), size, size == null ? 5L << 20 : null).build());
  }

  static void streams(MinioClient s3) throws Exception {
    put(s3, key("known"), "known".getBytes(), 5L);
    same(new String(read(s3, "known")), "known");
    byte[] bytes = new byte[12_000_001];
    new Random(7).nextBytes(bytes);
    put(s3, key("unknown"), bytes, null);
    same(Arrays.equals(read(s3, "unknown"), bytes), true);
  }

  static String sum(String file) throws Exception {
    MessageDigest digest = MessageDigest.getInstance("SHA-256");
    try (InputStream in = Files.newInputStream(Path.of(file))) {
      byte[] buffer = new byte[1 << 20];
      for (int n; (n = in.read(buffer)) > 0;) digest.update(buffer, 0, n);
    }
    return HexFormat.of().formatHex(digest.digest());
  }

  static void film(MinioClient s3) throws Exception {
    s3.uploadObject(UploadObjectArgs.builder().bucket(of("bucket")).object(key("film")).filename(of("film"), 8L << 20).build());
    String back = of("directory") + "/film";
    s3.downloadObject(DownloadObjectArgs.builder().bucket(of("bucket")).object(key("film")).filename(back).overwrite(true).build());
    same(sum(back), sum(of("film")));
    Files.delete(Path.of(back));
  }

  static List<String> list(MinioClient s3, boolean version1) throws Exception {
    List<String> names = new ArrayList<>();
    for (var entry : s3.listObjects(ListObjectsArgs.builder().bucket(of("bucket")).prefix(key("")).recursive(true).maxKeys(2).useApiVersion1(version1).build()))
      names.add(entry.get().objectName());
    Collections.sort(names);
    return names;
  }

  static String fetch(HttpRequest.Builder request) throws Exception {
    var answer = HttpClient.newHttpClient().send(request.build(), HttpResponse.BodyHandlers.ofString());
    return answer.statusCode() + " " + answer.body();
  }

  public static void main(String[] arguments) throws Exception {
    site = JSON.readTree(System.getenv("SITE"));
    String bucket = of("bucket"), both = "long-term session";
    MinioClient s3 = client(of("endpoint")).region(of("region")).build();

    check("puts, stats, reads a range and copies", both, () -> {
      s3.putObject(PutObjectArgs.builder().bucket(bucket).object(key("a +\\u00e9")).contentType(okhttp3.MediaType.get("image/jpeg"))
        .userMetadata(Map.of("note", "x y")).stream(new ByteArrayInputStream("hello".getBytes()), 5L, null).build());
      StatObjectResponse stat = s3.statObject(StatObjectArgs.builder().bucket(bucket).object(key("a +\\u00e9")).build());
      same(stat.size(), 5L);
      try (InputStream in = s3.getObject(GetObjectArgs.builder().bucket(bucket).object(key("a +\\u00e9")).offset(1L).length(2L).build())) { same(new String(in.readAllBytes()), "el"); }
      s3.copyObject(CopyObjectArgs.builder().bucket(bucket).object(key("copy")).source(SourceObject.builder().bucket(bucket).object(key("a +\\u00e9")).build()).build());
      same(new String(read(s3, "copy")), "hello");
    });
    check("puts streams of known and of unknown length", both, () -> streams(s3));
    check("puts a large file in parts", both, () -> film(s3));
    check("finds the region by itself", both, () -> streams(client(of("endpoint")).build()));
    if (!of("secureEndpoint").isEmpty()) check("the same over https", both, () -> {
      MinioClient secure = client(of("secureEndpoint")).region(of("region")).build();
      streams(secure);
      film(secure);
    });
    check("composes an object of others", both, () -> {
      SourceObject from = SourceObject.builder().bucket(bucket).object(key("unknown")).build();
      s3.composeObject(ComposeObjectArgs.builder().bucket(bucket).object(key("composed")).sources(new ArrayList<>(List.of(from, from))).build());
      same(read(s3, "composed").length, 24_000_002);
    });
    check("lists in both ways", both, () -> {
      List<String> want = new ArrayList<>();
      for (String name : List.of("a +\\u00e9", "composed", "copy", "film", "known", "unknown")) want.add(key(name));
      same(list(s3, false), want);
      same(list(s3, true), want);
    });
    check("links to read and to write", both, () -> {
      var link = GetPresignedObjectUrlArgs.builder().bucket(bucket).object(key("link +")).expiry(60);
      URI write = URI.create(s3.getPresignedObjectUrl(link.method(Http.Method.PUT).build()));
      same(fetch(HttpRequest.newBuilder(write).PUT(HttpRequest.BodyPublishers.ofString("by link"))), "200 ");
      URI read = URI.create(s3.getPresignedObjectUrl(link.method(Http.Method.GET).build()));
      same(fetch(HttpRequest.newBuilder(read).GET()), "200 by link");
    });
    check("removes one and many", both, () -> {
      s3.removeObject(RemoveObjectArgs.builder().bucket(bucket).object(key("copy")).build());
      List<DeleteRequest.Object> all = new ArrayList<>();
      for (String name : list(s3, false)) all.add(new DeleteRequest.Object(name));
      for (var failed : s3.removeObjects(RemoveObjectsArgs.builder().bucket(bucket).objects(all).build())) throw new AssertionError(failed.get().message());
      same(list(s3, false).size(), 0);
    });
    check("makes and removes a bucket", "long-term", () -> {
      String name = of("prefix").replace("/", "-");
      s3.makeBucket(MakeBucketArgs.builder().bucket(name).build());
      s3.removeBucket(RemoveBucketArgs.builder().bucket(name).build());
      same(s3.bucketExists(BucketExistsArgs.builder().bucket(name).build()), false);
    });
    check("assumes a role by itself", "long-term", () -> {
      String policy = JSON.createObjectNode().put("Version", "2012-10-17").set("Statement", JSON.createArrayNode().add(JSON.createObjectNode()
        .put("Effect", "Allow").put("Action", "s3:PutObject").put("Resource", "arn:aws:s3:::" + bucket + "/" + key("role/") + "*"))).toString();
      MinioClient held = MinioClient.builder().endpoint(of("endpoint")).region(of("region")).credentialsProvider(
        new AssumeRoleProvider(of("endpoint"), of("accessKeyId"), of("secretAccessKey"), 900, policy, of("region"), null, null, null, null)).build();
      put(held, key("role/x"), "x".getBytes(), 1L);
      denied(() -> put(held, key("other"), "x".getBytes(), 1L));
    });
    check("uploads, small, in parts and of unknown length", "upload-only", () -> {
      put(s3, key("a"), "a".getBytes(), 1L);
      s3.uploadObject(UploadObjectArgs.builder().bucket(bucket).object(key("clip")).filename(of("clip"), 5L << 20).build());
      put(s3, key("stream"), new byte[9_000_000], null);
    });
    check("is refused to read, to list and to delete", "upload-only", () -> {
      denied(() -> read(s3, "a"));
      denied(() -> list(s3, false));
      denied(() -> s3.removeObject(RemoveObjectArgs.builder().bucket(bucket).object(key("a")).build()));
    });
    check("is refused outside of its prefix", "session upload-only", () -> {
      denied(() -> put(s3, of("foreignKey"), "x".getBytes(), 1L));
      denied(() -> s3.getObject(GetObjectArgs.builder().bucket(bucket).object(of("foreignKey")).build()));
      denied(() -> s3.removeObject(RemoveObjectArgs.builder().bucket(bucket).object(of("foreignKey")).build()));
    });
    System.exit(0);
  }
}
`
