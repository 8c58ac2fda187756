import type { Check, CheckId, endings, FindingCode } from './api/doctor.ts'

/** What was found, and what to do about it where there is something to do. `{{name}}` stands for a fact. */
interface FindingText {
  what: string
  help?: string
}

/** The words for everything Doctor may find, in one language. */
export type DoctorTexts = {
  [Id in CheckId]: { name: string } & { [Code in FindingCode<Id>]: FindingText }
} & { any: { [Code in keyof typeof endings]: FindingText } }

/** In English: for the command line and for the screen. */
export const doctorTexts = {
  data_folder: {
    name: 'Data folder',
    fine: { what: 'Everything is kept in {{path}}. Flightcase can write there, and nobody else looks into it.' },
    others_may_look: {
      what: 'Every user of this computer may look into {{path}}.',
      help: 'If others use this computer, close the folder to them:'
    },
    not_writable: {
      what: 'Nothing can be stored: Flightcase may not write into {{path}}.',
      help: 'Give the user who runs Flightcase the right to write there, or check whether the disk is write-protected.'
    },
    missing: {
      what: 'There is no base in {{path}}.',
      help: 'If it is on another disk, connect that disk. Otherwise name the right folder, or start Flightcase once to make a new base.'
    }
  },
  data_room: {
    name: 'Room for media',
    fine: { what: '{{freeBytes}} are free on the disk of the data folder.' },
    scarce: {
      what: 'Only {{freeBytes}} are left on the disk of the data folder. One flight can fill that.',
      help: 'Empty the bin, or delete what is not needed from the disk, before the next upload.'
    },
    full: {
      what: 'The disk of the data folder is full: {{freeBytes}} are left. Controllers cannot upload.',
      help: 'Empty the bin, or delete what is not needed from the disk. The data folder is here:'
    }
  },
  recordings_room: {
    name: 'Room for recordings',
    fine: { what: '{{freeBytes}} are free for recordings of streams, in {{path}}.' },
    scarce: {
      what: 'Only {{freeBytes}} are left for recordings of streams.',
      help: 'Delete old recordings, or what is not needed from the disk.'
    },
    full: {
      what: 'Nothing is recorded while so little room is left: {{freeBytes}}. From {{enoughBytes}} on it goes on by itself.',
      help: 'Delete old recordings, or what is not needed from the disk. The recordings are here:'
    },
    away: {
      what: 'The disk with the recordings is not there.',
      help: 'Connect it again. Nothing is lost; recordings are looked for here:'
    },
    off: { what: 'This base keeps no recordings of its own.' }
  },
  database: {
    name: 'Catalogue',
    answers: { what: 'The catalogue answers. It takes {{sizeBytes}}.' },
    sound: { what: 'The catalogue was read through and is sound. It takes {{sizeBytes}}.' },
    older: { what: 'The catalogue is of an older Flightcase. It is brought up to date at the next start.' },
    newer: {
      what: 'The catalogue is of a newer Flightcase than this one, which cannot read it.',
      help: 'Use the newer program.'
    },
    long_log: {
      what: 'The log of the catalogue has grown to {{logBytes}}.',
      help: 'Close Flightcase and start it again when no controller uploads; the log is then tidied up.'
    },
    damaged: {
      what: 'The catalogue is damaged.',
      help: 'Close Flightcase, copy the whole data folder to another disk before anything else, and ask for help. The media itself is kept apart from the catalogue.'
    },
    off: { what: 'There is no catalogue yet.' }
  },
  store: {
    name: 'Media store',
    embedded: { what: 'Media is kept in {{place}}, and can be written and read.' },
    external: { what: 'The store at {{place}} takes and gives media (bucket {{bucket}}).' },
    gateway: {
      what: 'The store at {{place}} takes and gives media (bucket {{bucket}}); controllers reach it through this base only.'
    },
    minio: {
      what: 'The store at {{place}} takes and gives media (bucket {{bucket}}). It calls itself {{server}}: in every open source build of MinIO, whoever knows an access key can write files without its secret (CVE-2026-41145, CVE-2026-40344), and controllers know one.',
      help: 'Unless it is Silo or AIStor from after April 2026, use the store mode gateway, so that controllers know no key of it, and let nobody else you do not trust into its network.'
    },
    full: {
      what: 'The media store is full. Controllers cannot upload.',
      help: 'Empty the bin, or make room on its disk.'
    },
    read_only: {
      what: 'The disk of {{place}} takes no more writes. What is there can still be read; controllers cannot upload.',
      help: 'The disk may be failing, or was unplugged for a moment. Copy what is on it to another disk first. Then connect it again, and start Flightcase again.'
    },
    unplugged: {
      what: 'The disk with the media is not there: {{place}} is gone. Nothing was deleted.',
      help: 'Connect the disk again. Uploads then go on by themselves.'
    },
    unreachable: {
      what: 'The media store at {{place}} does not answer. Nothing can be received until it does.',
      help: 'Check that it runs, and that this computer is in its network. Its address is this setting:'
    },
    refused: {
      what: 'The media store at {{place}} does not accept our key, or not for the bucket {{bucket}}.',
      help: 'Check the key and its rights. These settings hold it:'
    },
    no_bucket: {
      what: 'The media store at {{place}} has no bucket {{bucket}}.',
      help: 'Make that bucket in the store, or name another one in this setting:'
    },
    other_store: {
      what: 'The bucket {{bucket}} at {{place}} does not hold the files of this base. It is another store, or it was emptied.',
      help: 'Connect the store that holds them, or bring the bucket back from a backup. If it is lost for good, choose a new bucket: nothing that is known of the files goes. These settings say where it is:'
    },
    clock_differs: {
      what: 'The clocks of this computer and of the media store differ by {{differenceMs}}. Beyond 15 minutes it refuses everything.',
      help: 'Set the clock of this computer, or that of the store.'
    },
    files_unknown: {
      what: 'The index of the media store was restored from a copy, or something of it was lost. Files that it does not know are kept. Number: {{keptCount}}.',
      help: 'Media that cannot be opened may be among them. Leave {{place}} as it is, close Flightcase, and let whoever runs this base call this. It may bring back their names:'
    },
    files_unchecked: {
      what: 'Some files of the media store cannot be opened, so nobody knows whether they are whole. Number: {{uncheckedCount}}.',
      help: 'A virus scanner may hold them, or they lost their permissions when they were copied. Flightcase has to be able to read everything in here:'
    },
    place_doubtful: {
      what: 'Media is kept in {{place}}, which is not a safe place for it ({{kind}}). It can be written and read.',
      help: 'FAT volumes, network shares and synchronised folders may lose media or change it. Close Flightcase, copy the whole data folder to a local disk, and start it with that.'
    },
    index_damaged: {
      what: 'The index of the media store is damaged. The media itself lies in files of its own.',
      help: 'Close Flightcase when no controller uploads, and let whoever runs this base call this. It makes the index anew from its daily copies and logs:'
    },
    clock_refused: {
      what: 'The media store refuses us: its clock and the one of this computer differ too much.',
      help: 'Set the clock of this computer, or that of the store.'
    },
    broken: {
      what: 'The media store at {{place}} has a fault.',
      help: 'Start Flightcase again. If that does not help, whoever runs this base needs what is reported here.'
    },
    off: { what: 'Media is kept in {{place}}; only the running base can try it out.' }
  },
  listeners: {
    name: 'Ports',
    open: { what: 'Flightcase listens on {{open}}.' },
    free: { what: 'All ports are free: {{free}}.' },
    in_use: { what: 'Flightcase is running and has its ports.' },
    link_off: {
      what: 'Controllers can upload, but not keep a link open: another program has {{taken}}.',
      help: 'End the other program, then start Flightcase again. This shows which one it is:'
    },
    less_taken: {
      what: 'Another program has a port that Flightcase can do without: {{taken}}. What needs it will be off.',
      help: 'End the other program before you start Flightcase. This shows which one it is:'
    },
    taken: {
      what: 'Flightcase cannot start: it cannot have {{taken}}.',
      help: 'End the other program, or name another port in the settings. This shows which program it is:'
    },
    unseen: { what: 'This user cannot see whether Flightcase is running and has its ports.' }
  },
  network: {
    name: 'Network for controllers',
    one: { what: 'Controllers reach this base at {{addresses}}.' },
    several: {
      what: 'This computer is in several networks. Enter on the controller the address of the network it is in: {{addresses}}.'
    },
    named: { what: 'Controllers reach this base at {{addresses}}.' },
    this_computer: {
      what: 'Controllers cannot reach this base: it listens at {{addresses}}, which only this computer can open.',
      help: 'If controllers shall upload here, name an address of their network, or 0.0.0.0:8700 for all, in this setting:'
    },
    none: {
      what: 'Controllers cannot reach this base: this computer is in no network.',
      help: 'Connect it to the Wi-Fi or the router that the controllers use. The cable may be out, or Wi-Fi switched off.'
    }
  },
  clock: {
    name: 'Clock',
    fine: { what: 'The clock shows {{nowAt}} ({{zone}}).' },
    too_early: {
      what: 'The clock of this computer is wrong: it shows {{nowAt}}. Controllers and stores refuse a wrong time, and files get wrong dates.',
      help: 'Set date and time in the settings of this computer.'
    },
    went_back: {
      what: 'The clock shows {{nowAt}}, but something was already received at {{newestAt}}. It is, or was, wrong.',
      help: 'Set date and time in the settings of this computer.'
    }
  },
  ffmpeg: {
    name: 'Video tools (ffmpeg)',
    fine: { what: 'ffmpeg {{version}} makes previews of videos. It is {{path}}.' },
    missing: {
      what: 'ffmpeg is missing: videos get no preview, clips cannot be cut. Uploads are not affected.',
      help: 'Install ffmpeg on this computer, or name the program in this setting:'
    },
    broken: {
      what: 'ffmpeg is there but does not run: videos get no preview, clips cannot be cut.',
      help: 'Replace this program:'
    }
  },
  thumbnails: {
    name: 'Photo previews',
    fine: { what: 'Previews of photos can be made (sharp {{version}}).' },
    broken: {
      what: 'Previews of photos cannot be made. Uploads are not affected.',
      help: 'Install Flightcase again.'
    }
  },
  media_server: {
    name: 'Live streams (MediaMTX)',
    ready: { what: 'MediaMTX {{version}} runs. It is {{place}}.' },
    external: { what: 'MediaMTX {{version}} answers at {{place}}.' },
    found: { what: 'MediaMTX {{version}} is at {{place}} and starts together with Flightcase.' },
    off: { what: 'Live streams are switched off.' },
    starting: { what: 'MediaMTX {{version}} is starting.', help: 'Check again in a few seconds.' },
    often_again: {
      what: 'MediaMTX {{version}} runs, but went away and came back {{returns}} times since Flightcase was started.',
      help: 'Streams broke off each time. The log of Flightcase says why.'
    },
    remarks: {
      what: 'MediaMTX {{version}} can be used, with a restriction.',
      help: 'What is reported here says what to change.'
    },
    mediamtx_missing: {
      what: 'Live streams need the program MediaMTX, which is not here. Everything else works without it.',
      help: 'Download MediaMTX {{tested}} (first line) and unpack it. Then put the program where this computer looks for programs (PATH), or write the second line, with its place, at the top of {{settingsFile}} and start Flightcase again. Some packages of the desktop app bring MediaMTX along.'
    },
    mediamtx_unusable: {
      what: 'The program MediaMTX that was found cannot be run.',
      help: 'It may be for another kind of computer. Download {{tested}} (first line), and write the second line, with its place, at the top of {{settingsFile}}.'
    },
    mediamtx_too_old: {
      what: 'The program MediaMTX that was found is too old.',
      help: 'Download {{tested}} (first line), and write the second line, with its place, at the top of {{settingsFile}}.'
    },
    port_taken: {
      what: 'MediaMTX runs, but part of it is off: another program has one of its ports.',
      help: 'End the other program, then start Flightcase again.'
    },
    recordings_folder_unusable: {
      what: 'Live streams are off: the folder for recordings cannot be used.',
      help: 'Connect its disk, or name another folder in this setting:'
    },
    server_ended: {
      what: 'MediaMTX ended by itself. Flightcase starts it again.',
      help: 'Check again in a minute. If this goes on, the log of Flightcase says more.'
    },
    server_silent: {
      what: 'MediaMTX runs but does not answer. Flightcase starts it again when that goes on.',
      help: 'Check again in a minute.'
    },
    server_refuses: {
      what: 'The MediaMTX that was named does not accept this base.',
      help: 'Whoever runs it has to set it up. These settings say where it is, and who we are:'
    },
    server_unreachable: {
      what: 'The MediaMTX that was named does not answer.',
      help: 'Start it, and check the network. This setting says where it is:'
    }
  },
  jobs: {
    name: 'Work of the base',
    fine: { what: 'Work goes on as it should. Waiting now: {{waitingCount}}.' },
    gave_up: {
      what: 'Some work could not be done, for example previews. Number: {{deadCount}}. The files themselves are safe.',
      help: 'Open Jobs: it says why of each, and tries again.'
    },
    stuck: {
      what: 'Work has been waiting for {{waitedMs}}, and none is being done.',
      help: 'Start Flightcase again. If that does not help, its log says more.'
    }
  },
  any: {
    no_answer: {
      what: 'This did not answer within {{limitMs}}.',
      help: 'A disk or a network may be slow or hanging. Check again.'
    },
    failed: { what: 'This could not be checked.', help: 'Whoever runs this base needs what is reported here.' }
  }
} satisfies DoctorTexts

/** A check in words. `factText` writes a fact, whose unit is in its name. */
export function sayCheck(
  texts: DoctorTexts,
  { id, code, facts }: Pick<Check, 'id' | 'code' | 'facts'>,
  factText: (name: string, value: string | number) => string
): { name: string; what: string; help: string | null } {
  const { name, ...found }: Record<string, string | FindingText> & { name: string } = texts[id]
  const endings: Record<string, FindingText> = texts.any
  const text = found[code] ?? endings[code]
  if (typeof text !== 'object') return { name, what: code, help: null }
  const filled = (sentence: string) =>
    sentence.replaceAll(/\{\{(\w+)\}\}/g, (_, fact: string) => {
      const value = facts[fact]
      return value === undefined ? '?' : factText(fact, value)
    })
  return { name, what: filled(text.what), help: text.help === undefined ? null : filled(text.help) }
}
