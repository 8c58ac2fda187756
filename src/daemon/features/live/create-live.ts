import { join } from 'node:path'
import type { Logger } from 'pino'
import type { LiveConfig } from '../../config/settings/live.ts'
import { AppError, messageOf } from '../../errors.ts'
import type { Feature } from '../../feature.ts'
import { recordPathBelow } from '../../mediamtx/child-config.ts'
import { ExternalServer } from '../../mediamtx/external-server.ts'
import { ManagedServer } from '../../mediamtx/managed-server.ts'
import type { MediaServer } from '../../mediamtx/media-server.ts'
import { AuthEndpoint } from './auth-endpoint.ts'
import { authorise } from './authorise.ts'
import { PathReconciler } from './path-reconciler.ts'
import { Snapshots } from './snapshots.ts'
import { SourceViews } from './source-views.ts'
import { type Source, SourcesRepository } from './sources.repository.ts'
import { bindSources } from './sources.routes.ts'
import { SourcesService, type SourcesServiceDeps } from './sources.service.ts'
import { StreamAddresses } from './stream-addresses.ts'
import { StreamAssets, type StreamAssetsDeps } from './stream-assets.service.ts'
import { StreamProxy } from './stream-proxy.ts'
import { StreamTokens } from './stream-tokens.ts'
import { StreamWatch } from './stream-watch.ts'
import { type RecordConf, wantedPath } from './wanted-path.ts'

export interface LiveDeps
  extends Omit<SourcesServiceDeps, 'repository' | 'server' | 'recordConf' | 'allowLoopback'>,
    Omit<StreamAssetsDeps, 'service' | 'repository'> {
  config: LiveConfig
  dataDir: string
  /** What the listener for controllers listens at. */
  fieldHost: string
  /** Where the desktop app keeps programs; null elsewhere. */
  resourcesDir: string | null
  /** Between looks at a media server that somebody else runs. */
  livenessMs?: number | undefined
  /** Whether there is room for recordings now. */
  mayRecord: () => boolean
  log: Logger
  ffmpegPath: () => string | null
}

export interface LiveFeature extends Feature {
  server: MediaServer
  service: SourcesService
  repository: SourcesRepository
  assets: StreamAssets
  tokens: StreamTokens
  /** A picture of a stream as it is now, in full size. Throws `source_not_found`, `snapshot_not_available`. */
  pictureOf(sourceId: string): Promise<Buffer>
  /** Has the media server's paths follow what is wanted now. Raises `AppError` and `MediaMtxError`. */
  reconcile(): Promise<unknown>
}

const THIS_MACHINE = '127.0.0.1'
const PICTURE_MS = 60_000
const NO_LIMITS =
  'Its recordings go by their age only: how large they are it does not say (`live.max_gb`, `live.min_free_gb`).'
/** Keeps a call of the base itself apart from those of viewers in the media server's lists. */
const READER = 'flightcase'

/** Streams of cameras and drones: each is a path of the media server, which the daemon runs, feeds and guards. */
export function createLive(deps: LiveDeps): LiveFeature {
  const { config, log } = deps
  const repository = new SourcesRepository(deps.db)
  const tokens = new StreamTokens({ clock: deps.clock, secret: repository.secret() })
  const auth = new AuthEndpoint({
    address: config.external?.auth?.listen ?? { host: THIS_MACHINE, port: 0 },
    key: () => server.callbackKey,
    judge: (request) =>
      authorise(request, {
        tokens,
        findByPath: (pathName) => repository.findByPath(pathName),
        ownCredential: server.credential,
        isElsewhere: server.mode === 'external'
      }),
    log
  })
  const { maxBytes, minFreeBytes } = config.recordings
  const warnings = maxBytes === null && minFreeBytes === null ? [] : [NO_LIMITS]
  const recordConf = { ...recordConfOf(config), mayRecord: deps.mayRecord }
  const initialPaths = () =>
    Object.fromEntries(repository.all().map((source) => [source.pathName, wantedPath(source, recordConf)]))
  const server: MediaServer = config.external
    ? new ExternalServer({
        server: config.external,
        publicHost: config.publicHost,
        moreWarnings: () => warnings,
        log,
        ...(deps.livenessMs === undefined ? {} : { livenessMs: deps.livenessMs })
      })
    : new ManagedServer({
        config,
        dir: join(deps.dataDir, 'mediamtx'),
        resourcesDir: deps.resourcesDir,
        callbackUrl: () => auth.url(),
        initialPaths,
        log
      })
  const allowLoopback = config.allowLoopback
  const service = new SourcesService({ ...deps, repository, server, recordConf, allowLoopback })
  const assets = new StreamAssets({ ...deps, service, repository })
  const ownsPaths = server.mode === 'managed'
  const reconciler = new PathReconciler({ repository, server, recordConf, ownsPaths, log })
  const watch = new StreamWatch({ ...deps, repository, service, log })
  const addressOf = ({ pathName }: Source): string => {
    server.client()
    const { rtsp } = server.urls()
    if (rtsp === null) throw new AppError('snapshot_not_available', { protocol: 'rtsp' })
    const address = new URL(`${rtsp}/${pathName}`)
    // Everybody on this machine may read what programs are started with: a token that opens this stream for a minute is all there is.
    const viewer = { user: READER, password: tokens.issue(pathName, 'r', PICTURE_MS).token }
    const { user, password } = server.asksUs() ? viewer : (server.credential ?? viewer)
    address.username = encodeURIComponent(user)
    address.password = encodeURIComponent(password)
    return address.href
  }
  const snapshots = new Snapshots({ ...deps, log, addressOf, isConnected: ({ id }) => watch.isConnected(id) })
  const views = new SourceViews({
    service,
    addresses: new StreamAddresses({ server, tokens, fieldHost: deps.fieldHost }),
    reconciler
  })

  let begun: Promise<void> | undefined

  async function begin(): Promise<void> {
    // The media server asks at once whether it may answer us.
    if (server.mode === 'managed') await auth.listen()
    else if (config.external?.auth)
      await auth.listen().catch((error: unknown) => {
        warnings.push(`It cannot ask who may send and watch, and lets nobody in: ${messageOf(error)}`)
        log.error({ err: error }, 'the media server of others cannot ask')
      })
    reconciler.start()
    watch.start()
    server.start()
  }

  return {
    server,
    service,
    repository,
    assets,
    tokens,
    reconcile: () => reconciler.run(),
    pictureOf: (sourceId) => snapshots.inFull(service.get(sourceId)),
    bind: (binder) =>
      bindSources(binder, { service, repository, views, server, proxy: new StreamProxy(server), snapshots, assets }),
    start: () => {
      if (!config.isEnabled) return
      begun = begin().catch((error: unknown) =>
        log.error({ err: error, reason: messageOf(error) }, 'streams cannot begin')
      )
    },
    stop: async () => {
      // What begins just now would outlive its end.
      await begun
      snapshots.stop()
      await watch.stop()
      await reconciler.stop()
      await server.stop()
      await auth.close()
    }
  }
}

/** How this base records. Where the media server runs elsewhere, its own folder is used. */
function recordConfOf({ external, recordings }: LiveDeps['config']): Omit<RecordConf, 'mayRecord'> {
  return {
    ...(external ? {} : { recordPath: recordPathBelow(recordings.dir) }),
    recordFormat: 'fmp4',
    recordPartDuration: '1s',
    recordSegmentDuration: `${Math.round(recordings.segmentMs / 1000)}s`,
    recordDeleteAfter: '0s'
  }
}
