/** Texts of Storage, in English. */
export const storage = {
  title: 'Storage',
  forbiddenTitle: 'This takes a link for the whole base',
  forbiddenText: 'Your link shows some workspaces only. Ask whoever runs this base.',
  well: 'The store is in order',
  indexDamaged: 'The index of the store is damaged',
  almostFull: 'Make room before the next flight',
  damagedVerdict_one: '1 file is damaged',
  damagedVerdict_other: '{{amount}} files are damaged',
  fullElsewhere: 'Empty the bin, or have room made in the store.',
  credentialsRefused: 'The store gives controllers no keys. They cannot upload anything.',
  reported: 'Reported',
  see: 'Storage says what to do',
  trouble: {
    full: {
      what: 'The media store is full. Uploads are being refused.',
      help: 'Empty the bin, or move what does not belong here off this disk.'
    },
    read_only: {
      what: 'The disk of the media store takes no more writes. Uploads are being refused.',
      help: 'What is on it can still be seen. The disk may be failing: copy what is on it to another disk first. Then connect it again, and start Flightcase again.'
    },
    unplugged: {
      what: 'The disk with the media is not there. Nothing can be received until it is.',
      help: 'Connect it again. Nothing was deleted, and uploads go on by themselves.'
    },
    unreachable: {
      what: 'The media store does not answer. Nothing can be received until it does.',
      help: 'Check that it runs, and that this computer is in its network. Settings says where it is looked for.'
    },
    refused: {
      what: 'The media store does not accept our key. Nothing can be received until it does.',
      help: 'Test the connection in Settings: it says what is wrong.'
    },
    no_bucket: {
      what: 'The media store has no bucket of the name that was set. Nothing can be received until it has.',
      help: 'Make that bucket in the store, or name another one in Settings.'
    },
    other_store: {
      what: 'The media store does not hold the files of this base: it is another one, or it was emptied. Nothing can be received.',
      help: 'Connect the store that holds them, or bring its bucket back from a backup. If it is lost for good, choose a new bucket in Settings. No file is taken for lost meanwhile.'
    },
    clock_refused: {
      what: 'The media store refuses us: its clock and the one of this computer differ too much.',
      help: 'Set the clock of this computer, or that of the store.'
    },
    broken: {
      what: 'The media store has a fault. Nothing can be received for now.',
      help: 'Start Flightcase again. If that does not help, whoever runs this base needs what is reported here.'
    }
  },
  room: {
    title: 'Room',
    none: 'No room left',
    noFlight: {
      today: 'Not enough room for another flight like today’s',
      latest: 'Not enough room for another flight like the latest'
    },
    flights: {
      today_one: 'Room for about one flight like today’s',
      today_other: 'Room for about {{amount}} flights like today’s',
      latest_one: 'Room for about one flight like the latest',
      latest_other: 'Room for about {{amount}} flights like the latest'
    },
    manyFlights: {
      today: 'Room for more than {{amount}} flights like today’s',
      latest: 'Room for more than {{amount}} flights like the latest'
    },
    photos: 'Room for about {{amount}} photos, or {{hours}} of 4K video',
    unknown: 'How much room there is, only the store knows',
    free: '{{size}} are free for media.',
    perFlight: '{{size}} are free for media. Such a flight takes about {{flight}}.',
    bar: 'What the disk is filled with',
    media: 'Media and previews',
    others: 'Other files',
    kept: 'Kept free',
    forMedia: 'Free for media',
    keptFiles_one: '{{amount}} file belongs to this base, {{size}}.',
    keptFiles_other: '{{amount}} files belong to this base, {{size}}.',
    nothing: 'Nothing is kept here yet.',
    through: 'Controllers send to this computer, which passes everything on: the files lie in the store, not here.',
    where: 'Kept in',
    bucket: 'Bucket'
  },
  scrub: {
    title: 'Are all files still whole?',
    never: 'Not every file has been looked at yet. This is done little by little, when nothing else is to do.',
    finished: 'Every file was read and compared with what had arrived, {{ago}}.',
    running: 'Files are being read and compared…',
    waiting: 'This rests while files arrive, and while this computer runs on battery.',
    progress: '{{done}} of {{all}}',
    start: 'Check all files now',
    started: 'All files are checked now. You can go on working.',
    whole: 'No damage is known.',
    indexCopied: 'The list of all files was copied for safety, {{ago}}.'
  },
  damaged: {
    title: 'Damaged files',
    intro: {
      here: 'What these files held cannot be read from this disk any more. Everything that is known about them is still there.',
      elsewhere:
        'What these files held cannot be read from the store any more. Everything that is known about them is still there.'
    },
    flight: 'Flight: {{name}}',
    send_again:
      'Send these again: put the memory card into the controller and open its media there. It then sends them by itself.',
    upload_again: 'Upload these files again. They take the place of the damaged ones by themselves.',
    backup: {
      here: 'If nobody has a file any more, bring it back from a backup of the data folder.',
      elsewhere: 'If nobody has a file any more, bring it back from a backup of the store.'
    },
    cause: {
      here: 'A disk that loses files may be failing: copy what is on it to another disk.',
      elsewhere: 'A store that loses files has a fault, or somebody deletes there: ask whoever runs it.'
    },
    others_one: '{{amount}} preview or the like is damaged, too. It is made again when somebody looks at it.',
    others_other: '{{amount}} previews and the like are damaged, too. They are made again when somebody looks at them.'
  },
  notConnected: {
    title: 'Files in a store that is not connected',
    intro:
      'These files are not lost. They cannot be opened until that store is connected again, and nothing in it is changed. A controller that still has one sends it again.',
    unknown: 'A store used before',
    line_one: '{{amount}} file, {{size}}',
    line_other: '{{amount}} files, {{size}}'
  },
  uploads: {
    title: 'Unfinished uploads',
    underWay_one: '{{amount}} large file is still arriving; {{size}} of it are here.',
    underWay_other: '{{amount}} large files are still arriving; {{size}} of them are here.',
    idle_one: 'One of them has stood still for a day.',
    idle_other: '{{amount}} of them have stood still for a day.',
    help: 'Switch the controller on and open its media: it goes on where it stopped. What nobody continues for a week is given up.'
  },
  link: {
    title: 'Connection to the store',
    latency: 'A small file was written, read and deleted within {{time}}.',
    clocks: 'The clocks of the store and of this computer agree.',
    clocksDiffer:
      'The clocks of the store and of this computer differ by {{time}}. Beyond 15 minutes it refuses everything.'
  },
  refused: {
    title: 'What the store refused',
    intro: 'Controllers may only add files to their own folder. If one cannot upload, pair it again.',
    line_one: '{{operation}}, once',
    line_other: '{{operation}}, {{amount}} times',
    last: '{{resource}} from {{address}}, last {{ago}}'
  }
} as const
