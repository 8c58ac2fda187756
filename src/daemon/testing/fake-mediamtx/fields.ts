// Every key a configuration of MediaMTX v1.20.1 may have, with the type of its value and its default.

export type Json = null | boolean | number | string | Json[] | { [key: string]: Json }
export type JsonObject = { [key: string]: Json }

/** How a value is read: a JSON type, a text with a form of its own, one of some texts, a list, or an object. */
export type FieldType =
  | 'string'
  | 'bool'
  | 'int'
  | 'uint'
  | 'float64'
  | 'duration'
  | 'size'
  | { oneOf: string[]; refusal: string }
  | { listOf: FieldType }
  | { object: Fields }

export interface Field {
  type: FieldType
  /** What the server starts with; a deprecated key has none, and is absent from answers until it is set. */
  initial?: Json
}

export type Fields = Record<string, Field>

const each = (type: FieldType, initial: Json | undefined, keys: string): Fields =>
  Object.fromEntries(keys.split(' ').map((key) => [key, initial === undefined ? { type } : { type, initial }]))

const texts: FieldType = { listOf: 'string' }
const rtspTransport: FieldType = { oneOf: ['automatic', 'udp', 'multicast', 'tcp'], refusal: "invalid transport '?'" }
const recordFormat: FieldType = { oneOf: ['fmp4', 'mpegts'], refusal: "invalid record format '?'" }
const encryption: FieldType = { oneOf: ['no', 'optional', 'strict'], refusal: "invalid encryption: '?'" }
const permissions: FieldType = {
  listOf: {
    object: {
      action: {
        type: {
          oneOf: ['publish', 'read', 'playback', 'api', 'metrics', 'pprof'],
          refusal: "invalid auth action: '?'"
        },
        initial: ''
      },
      path: { type: 'string', initial: '' }
    }
  }
}

export const pathFields: Fields = {
  ...each('string', '', 'name sourceFingerprint srtReadPassphrase alwaysAvailableFile srtPublishPassphrase'),
  ...each('string', '', 'rtspRangeType rtspRangeStart rtspScale rtpSDP whepBearerToken sourceRedirect'),
  ...each('string', '', 'runOnInit runOnDemand runOnUnDemand runOnAvailable runOnUnavailable runOnOnline runOnOffline'),
  ...each('string', '', 'runOnRead runOnUnread runOnRecordSegmentCreate runOnRecordSegmentComplete'),
  ...each('bool', false, 'sourceOnDemand useAbsoluteTimestamp alwaysAvailable record rtspDemuxMpegts rtspAnyPort'),
  ...each(
    'bool',
    false,
    'runOnInitRestart runOnDemandRestart runOnAvailableRestart runOnOnlineRestart runOnReadRestart'
  ),
  ...each('bool', true, 'overridePublisher'),
  ...each('string', 'publisher', 'source'),
  ...each('duration', '10s', 'sourceOnDemandStartTimeout sourceOnDemandCloseAfter whepHandshakeTimeout'),
  ...each('duration', '10s', 'runOnDemandStartTimeout runOnDemandCloseAfter'),
  ...each('duration', '5s', 'whepSTUNGatherTimeout'),
  ...each('duration', '2s', 'whepTrackGatherTimeout'),
  ...each('int', 0, 'maxReaders'),
  ...each(rtspTransport, 'automatic', 'rtspTransport'),
  ...each({ oneOf: ['quic', 'http3', 'http2'], refusal: "invalid MoQ transport '?'" }, 'quic', 'moqTransport'),
  rtspUDPSourcePortRange: { type: { listOf: 'uint' }, initial: [32768, 60999] },
  alwaysAvailableTracks: {
    type: {
      listOf: {
        object: {
          codec: { type: 'string', initial: '' },
          sampleRate: { type: 'int', initial: 0 },
          channelCount: { type: 'int', initial: 0 },
          muLaw: { type: 'bool', initial: false }
        }
      }
    },
    initial: []
  },
  forward: { type: { listOf: { object: each('string', '', 'dest destFingerprint whipBearerToken') } }, initial: [] },

  recordPath: { type: 'string', initial: './recordings/%path/%Y-%m-%d_%H-%M-%S-%f' },
  recordFormat: { type: recordFormat, initial: 'fmp4' },
  recordPartDuration: { type: 'duration', initial: '1s' },
  recordMaxPartSize: { type: 'size', initial: '50M' },
  recordSegmentDuration: { type: 'duration', initial: '1h0m0s' },
  recordDeleteAfter: { type: 'duration', initial: '1d' },

  ...each('bool', false, 'rpiCameraSecondary rpiCameraHFlip rpiCameraVFlip rpiCameraHDR rpiCameraTextOverlayEnable'),
  ...each('uint', 0, 'rpiCameraCamID rpiCameraShutter rpiCameraFlickerPeriod'),
  ...each('uint', 1920, 'rpiCameraWidth'),
  ...each('uint', 1080, 'rpiCameraHeight'),
  ...each('uint', 60, 'rpiCameraIDRPeriod rpiCameraMJPEGQuality'),
  ...each('uint', 5_000_000, 'rpiCameraBitrate'),
  ...each('float64', 0, 'rpiCameraBrightness rpiCameraGain rpiCameraEV rpiCameraLensPosition'),
  ...each('float64', 1, 'rpiCameraContrast rpiCameraSaturation rpiCameraSharpness'),
  ...each('float64', 30, 'rpiCameraFPS'),
  ...each('string', '', 'rpiCameraROI rpiCameraTuningFile rpiCameraMode rpiCameraAfWindow'),
  ...each('string', 'normal', 'rpiCameraExposure rpiCameraAfRange rpiCameraAfSpeed'),
  ...each('string', 'auto', 'rpiCameraAWB rpiCameraCodec rpiCameraH264Profile'),
  ...each('string', 'off', 'rpiCameraDenoise'),
  ...each('string', 'centre', 'rpiCameraMetering'),
  ...each('string', 'continuous', 'rpiCameraAfMode'),
  ...each('string', '4.1', 'rpiCameraH264Level'),
  ...each('string', '%Y-%m-%d %H:%M:%S - MediaMTX', 'rpiCameraTextOverlay'),
  rpiCameraAWBGains: { type: { listOf: 'float64' }, initial: [0, 0] },

  ...each('string', undefined, 'fallback publishUser publishPass readUser readPass runOnReady runOnNotReady'),
  ...each('string', undefined, 'rpiCameraProfile rpiCameraLevel rpiCameraHardwareH264Profile'),
  ...each('string', undefined, 'rpiCameraHardwareH264Level rpiCameraSoftwareH264Profile rpiCameraSoftwareH264Level'),
  ...each('bool', undefined, 'playback disablePublisherOverride sourceAnyPortEnable runOnReadyRestart'),
  ...each('uint', undefined, 'rtspUDPReadBufferSize mpegtsUDPReadBufferSize rtpUDPReadBufferSize rpiCameraJPEGQuality'),
  ...each(texts, undefined, 'publishIPs readIPs'),
  ...each(rtspTransport, undefined, 'sourceProtocol')
}

export const globalFields: Fields = {
  ...each({ oneOf: ['error', 'warn', 'info', 'debug'], refusal: "invalid log level: '?'" }, 'info', 'logLevel'),
  logDestinations: {
    type: { listOf: { oneOf: ['stdout', 'file', 'syslog'], refusal: 'invalid log destination: ?' } },
    initial: ['stdout']
  },
  ...each('bool', false, 'logStructured dumpPackets runOnConnectRestart'),
  ...each('string', 'mediamtx.log', 'logFile'),
  ...each('string', 'mediamtx', 'sysLogPrefix'),
  ...each('duration', '10s', 'readTimeout writeTimeout'),
  ...each('int', 512, 'writeQueueSize'),
  ...each('int', 1452, 'udpMaxPayloadSize'),
  ...each('uint', 0, 'udpReadBufferSize'),
  ...each('string', '', 'runOnConnect runOnDisconnect'),

  ...each({ oneOf: ['internal', 'http', 'jwt'], refusal: "invalid authMethod: '?'" }, 'internal', 'authMethod'),
  authInternalUsers: {
    type: {
      listOf: {
        object: {
          ...each('string', '', 'user pass'),
          ips: { type: texts, initial: [] },
          permissions: { type: permissions, initial: [] }
        }
      }
    },
    initial: [
      {
        user: 'any',
        pass: '',
        ips: [],
        permissions: ['publish', 'read', 'playback'].map((action) => ({ action, path: '' }))
      },
      {
        user: 'any',
        pass: '',
        ips: ['127.0.0.1/32', '::1/128'],
        permissions: ['api', 'metrics', 'pprof'].map((action) => ({ action, path: '' }))
      }
    ]
  },
  ...each('string', '', 'authHTTPAddress authHTTPFingerprint authJWTJWKS authJWTJWKSFingerprint authJWTIssuer'),
  ...each('string', '', 'authJWTAudience'),
  ...each('string', 'mediamtx_permissions', 'authJWTClaimKey'),
  ...each(permissions, [], 'authHTTPExclude authJWTExclude'),

  ...each('bool', false, 'api apiEncryption metrics metricsEncryption pprof pprofEncryption playback'),
  ...each('bool', false, 'playbackEncryption hlsEncryption hlsAlwaysRemux webrtcEncryption'),
  ...each('bool', true, 'rtsp rtmp hls webrtc srt moq webrtcIPsFromInterfaces'),
  ...each('string', 'server.key', 'apiServerKey metricsServerKey pprofServerKey playbackServerKey'),
  ...each('string', 'server.key', 'rtspServerKey rtmpServerKey hlsServerKey webrtcServerKey'),
  ...each('string', 'server.crt', 'apiServerCert metricsServerCert pprofServerCert playbackServerCert'),
  ...each('string', 'server.crt', 'rtspServerCert rtmpServerCert hlsServerCert webrtcServerCert'),
  ...each('string', 'auto.key', 'moqServerKey'),
  ...each('string', 'auto.crt', 'moqServerCert'),
  ...each(texts, ['*'], 'apiAllowOrigins metricsAllowOrigins pprofAllowOrigins playbackAllowOrigins'),
  ...each(texts, ['*'], 'hlsAllowOrigins webrtcAllowOrigins moqAllowOrigins'),
  ...each(texts, [], 'apiTrustedProxies metricsTrustedProxies pprofTrustedProxies playbackTrustedProxies'),
  ...each(texts, [], 'rtspTrustedProxies rtmpTrustedProxies hlsTrustedProxies webrtcTrustedProxies moqTrustedProxies'),
  ...Object.fromEntries(
    Object.entries({
      apiAddress: ':9997',
      metricsAddress: ':9998',
      pprofAddress: ':9999',
      playbackAddress: ':9996',
      rtspAddress: ':8554',
      rtspsAddress: ':8322',
      rtpAddress: ':8000',
      rtcpAddress: ':8001',
      srtpAddress: ':8004',
      srtcpAddress: ':8005',
      rtmpAddress: ':1935',
      rtmpsAddress: ':1936',
      hlsAddress: ':8888',
      webrtcAddress: ':8889',
      webrtcLocalUDPAddress: ':8189',
      webrtcLocalTCPAddress: '',
      srtAddress: ':8890',
      moqHTTP2Address: ':8892',
      moqHTTP3Address: ':8892',
      moqQUICAddress: ':8893',
      multicastIPRange: '224.1.0.0/16'
    }).map(([key, initial]): [string, Field] => [key, { type: 'string', initial }])
  ),
  multicastRTPPort: { type: 'int', initial: 8002 },
  multicastRTCPPort: { type: 'int', initial: 8003 },
  multicastSRTPPort: { type: 'int', initial: 8006 },
  multicastSRTCPPort: { type: 'int', initial: 8007 },

  rtspTransports: {
    type: { listOf: { oneOf: ['udp', 'multicast', 'tcp'], refusal: 'invalid transport: ?' } },
    initial: ['udp', 'multicast', 'tcp']
  },
  ...each(encryption, 'no', 'rtspEncryption rtmpEncryption'),
  rtspAuthMethods: {
    type: { listOf: { oneOf: ['basic', 'digest'], refusal: "invalid authentication method: '?'" } },
    initial: ['basic']
  },
  hlsVariant: {
    type: { oneOf: ['mpegts', 'fmp4', 'lowLatency'], refusal: "invalid HLS variant: '?'" },
    initial: 'lowLatency'
  },
  ...each('int', 7, 'hlsSegmentCount'),
  ...each('duration', '1s', 'hlsSegmentDuration'),
  ...each('duration', '200ms', 'hlsPartDuration'),
  ...each('size', '50M', 'hlsSegmentMaxSize'),
  ...each('duration', '1m0s', 'hlsMuxerCloseAfter'),
  ...each('string', '', 'hlsDirectory hlsCDNSecret'),
  ...each(texts, [], 'webrtcIPsFromInterfacesList webrtcAdditionalHosts'),
  webrtcICEServers2: {
    type: {
      listOf: {
        object: { ...each('string', '', 'url username password'), clientOnly: { type: 'bool', initial: false } }
      }
    },
    initial: []
  },
  ...each('duration', '5s', 'webrtcSTUNGatherTimeout'),
  ...each('duration', '10s', 'webrtcHandshakeTimeout'),
  ...each('duration', '2s', 'webrtcTrackGatherTimeout'),

  ...each('int', undefined, 'readBufferCount'),
  ...each('uint', undefined, 'rtspUDPReadBufferSize'),
  ...each('bool', undefined, 'authJWTInHTTPQuery rtspDisable rtmpDisable hlsDisable webrtcDisable record'),
  ...each('string', undefined, 'externalAuthenticationURL apiAllowOrigin metricsAllowOrigin pprofAllowOrigin'),
  ...each('string', undefined, 'playbackAllowOrigin hlsAllowOrigin webrtcAllowOrigin serverKey serverCert'),
  ...each('string', undefined, 'webrtcICEUDPMuxAddress webrtcICETCPMuxAddress moqHTTPS2Address moqHTTPS3Address'),
  ...each(texts, undefined, 'webrtcICEHostNAT1To1IPs webrtcICEServers protocols authMethods'),
  ...each(encryption, undefined, 'encryption'),
  ...each('string', undefined, 'recordPath'),
  ...each(recordFormat, undefined, 'recordFormat'),
  ...each('duration', undefined, 'recordPartDuration recordSegmentDuration recordDeleteAfter')
}

/** The defaults of some fields; deprecated ones are left out. */
export function initialValues(fields: Fields): JsonObject {
  const withInitial = Object.entries(fields).filter(([, field]) => field.initial !== undefined)
  return Object.fromEntries(withInitial.map(([key, field]) => [key, structuredClone(field.initial ?? null)]))
}
