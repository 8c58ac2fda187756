/** Texts of Settings, in English. */
export const settings = {
  title: 'Settings',
  forbiddenTitle: 'This takes a link for administrators',
  forbiddenText: 'Your link shows less. Ask whoever runs this base.',
  store: {
    title: 'Where media is kept',
    mode: 'Where media is kept',
    modes: {
      embedded: 'On this computer',
      external: 'In an S3 store',
      gateway: 'In an S3 store, through this computer'
    },
    embeddedHow: 'Nothing to set up: controllers send to this computer, and everything lies in its data folder.',
    externalHow: 'Controllers send straight to a store that runs elsewhere, for example MinIO on a server.',
    gatewayHow:
      'Controllers send to this computer, which passes everything on to a store that runs elsewhere. The files lie there, not here.',
    profile: 'Kind of store',
    profiles: {
      minio: 'MinIO, Silo, AIStor',
      rustfs: 'RustFS',
      seaweedfs: 'SeaweedFS',
      ceph: 'Ceph',
      aws: 'Amazon S3',
      oss: 'Aliyun OSS',
      cos: 'Tencent COS',
      generic: 'Another one'
    },
    endpoint: 'Address of the store',
    publicEndpoint: 'Address for controllers',
    publicEndpointHow: 'Only when controllers reach the store by another address than this computer does.',
    publicEndpointHereHow: 'Only when controllers reach this computer by another address than its own.',
    region: 'Region',
    bucket: 'Bucket',
    accessKey: 'Access key',
    secretKey: 'Secret key',
    keyIsSet: 'Stays as it is',
    keyHow: 'It is not shown again. Leave this empty to keep it.',
    fixed: {
      option: 'Set by the option {{where}}. To change it here, start Flightcase without that.',
      environment: 'Set by the environment: {{where}}. To change it here, start Flightcase without that.',
      file: 'Set in the configuration file: {{where}}. To change it here, take it out there.'
    },
    faults: {
      needed: 'This is needed.',
      address: 'This begins with http:// or https://.',
      bucket: '3 to 63 small letters, digits, points and hyphens.',
      other: 'This cannot be used.',
      needs_gateway:
        'A store of this kind has no temporary keys for controllers. Let everything go through this computer instead.',
      needs_role:
        'A store of this kind wants a role for the keys of controllers. Set it where Flightcase is started: store.role_arn in the configuration file, or FLIGHTCASE_S3_ROLE_ARN.'
    },
    test: 'Test connection',
    save: 'Save',
    saved: 'Saved. It holds from the next start on.',
    stays_one:
      '{{amount}} file ({{size}}) is in the present store and stays there. After the restart it cannot be opened until you switch back. Nothing is deleted.',
    stays_other:
      '{{amount}} files ({{size}}) are in the present store and stay there. After the restart they cannot be opened until you switch back. Nothing is deleted.',
    restartTitle: 'This holds from the next start on',
    restart: 'Until then, media goes on to be kept in {{place}}. Restart the base when no controller uploads.',
    restartDesktop:
      'Until then, media goes on to be kept in {{place}}. Quit Flightcase and open it again when no controller uploads.',
    undo: 'Keep the present store',
    undone: 'The present store stays.'
  },
  connection: {
    testing: 'Trying out the store…',
    ok: 'The store does all that is needed',
    failed: 'This does not work yet',
    reported: 'Reported',
    outcome: { ok: 'In order', failed: 'Problem', skipped: 'Not tried' },
    step: {
      reach: 'Answers',
      clock: 'Clocks agree',
      credentials: 'Accepts the keys',
      bucket: 'Has the bucket',
      write: 'Takes and gives files',
      sts: 'Gives controllers keys of their own',
      policy: 'Lets controllers only add files'
    },
    detail: {
      refused: 'Nothing listens at that address. Check the port, and that the store runs.',
      unknown_host:
        'No machine has that name. Check the address; its number (like 192.168.1.9) works without a name service.',
      untrusted_certificate:
        'This computer does not trust the certificate of the store. Give the store one that it trusts.',
      no_answer: 'Nothing answers at that address. Check the network, the firewall of the store, and the address.',
      clock_differs:
        'Its clock and the one of this computer differ too much. Set the clock of this computer, or that of the store.',
      clock_differs_by:
        'Its clock and the one of this computer differ by {{time}}. Set the clock of this computer, or that of the store.',
      unknown_access_key: 'The store does not know this access key. Check it for letters that are missing or too many.',
      wrong_secret_key: 'The secret key does not belong to this access key. Enter it again.',
      no_bucket: 'The store has no bucket of this name. Make it there, or enter another name.',
      wrong_region: 'The bucket lies in another region. What is reported names it.',
      denied: 'The key has no right to this. Give its user the right to read, write, list and delete in this bucket.',
      full: 'The store is full. Make room there.',
      other_bytes:
        'What was read back is not what had been written. Do not use this store; something between is broken.',
      no_sts:
        'The store has no temporary keys for controllers (STS AssumeRole). Choose another store, or let everything go through this computer where that is offered.',
      sts_refused:
        'The store gives no temporary keys for controllers to this access key. If it has roles: the one that is set (store.role_arn) has to be there, and this key has to be allowed to take it. If it has none: enter the key of a user, not one that was made for a program.',
      wrong_role:
        'The store wants the name of a role for the keys of controllers, and what is set is missing or wrong. Set it where Flightcase is started: store.role_arn in the configuration file, or FLIGHTCASE_S3_ROLE_ARN.',
      too_wide:
        'Temporary keys may do more than add files: a lost controller could read or delete. The store ignores the policy that limits them, so do not use it.',
      too_narrow:
        'Temporary keys may not even add files. Give the user of the key the right to put objects into this bucket.',
      unexpected: 'The store said something that is not known here. Whoever runs it needs what is reported.'
    }
  }
} as const
