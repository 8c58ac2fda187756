import type { Translation } from '../translation.ts'

/** Texts of Storage, in Simplified Chinese. */
export const storage: Translation['storage'] = {
  title: '存储',
  forbiddenTitle: '需要可访问整个基站的链接',
  forbiddenText: '您的链接只能查看部分工作区。请联系此基站的管理者。',
  well: '存储正常',
  indexDamaged: '存储的索引已损坏',
  almostFull: '请在下次飞行前腾出空间',
  damagedVerdict_other: '{{amount}} 个文件已损坏',
  fullElsewhere: '请清空回收站，或请存储的管理者腾出空间。',
  credentialsRefused: '存储不向遥控器发放密钥，遥控器无法上传任何内容。',
  reported: '报告内容',
  see: '“存储”页面说明了如何处理',
  trouble: {
    full: {
      what: '素材存储已满，上传会被拒绝。',
      help: '请清空回收站，或把无关内容移出此磁盘。'
    },
    read_only: {
      what: '素材存储所在的磁盘不再接受写入，上传会被拒绝。',
      help: '已有内容仍可查看。磁盘可能即将损坏：请先将其中的内容复制到另一块磁盘，然后重新连接并重新启动 Flightcase。'
    },
    unplugged: {
      what: '存放素材的磁盘不在，恢复之前无法接收任何内容。',
      help: '请重新连接该磁盘。没有删除任何内容，上传会自动继续。'
    },
    unreachable: {
      what: '素材存储没有应答，恢复之前无法接收任何内容。',
      help: '请检查它是否在运行，以及这台电脑是否在它的网络中。它的地址可在“设置”中查看。'
    },
    refused: {
      what: '素材存储不接受我们的密钥，恢复之前无法接收任何内容。',
      help: '请在“设置”中测试连接，那里会说明问题所在。'
    },
    no_bucket: {
      what: '素材存储中没有所设名称的存储桶，恢复之前无法接收任何内容。',
      help: '请在存储中建立该存储桶，或在“设置”中填写另一个名称。'
    },
    other_store: {
      what: '素材存储中没有此基站的文件：它是另一个存储，或者已被清空。目前无法接收任何内容。',
      help: '请连接保存这些文件的存储，或从备份恢复它的存储桶。如果它已无法找回，请在“设置”中选择一个新的存储桶。在此期间，不会把任何文件当作丢失。'
    },
    clock_refused: {
      what: '素材存储拒绝了我们：它的时钟与这台电脑的时钟相差太多。',
      help: '请校准这台电脑或存储的时钟。'
    },
    broken: {
      what: '素材存储出现故障，目前无法接收任何内容。',
      help: '请重新启动 Flightcase。如果仍然如此，请把这里的报告内容交给此基站的管理者。'
    }
  },
  room: {
    title: '空间',
    none: '没有空间了',
    noFlight: {
      today: '空间不够再进行一次与今天相当的飞行',
      latest: '空间不够再进行一次与最近相当的飞行'
    },
    flights: {
      today_other: '大约还能容纳 {{amount}} 次与今天相当的飞行',
      latest_other: '大约还能容纳 {{amount}} 次与最近相当的飞行'
    },
    manyFlights: {
      today: '还能容纳 {{amount}} 次以上与今天相当的飞行',
      latest: '还能容纳 {{amount}} 次以上与最近相当的飞行'
    },
    photos: '大约还能容纳 {{amount}} 张照片，或 {{hours}}的 4K 视频',
    unknown: '还有多少空间只有存储自己知道',
    free: '可用于素材的空间为 {{size}}。',
    perFlight: '可用于素材的空间为 {{size}}。这样的一次飞行约需 {{flight}}。',
    bar: '磁盘空间的使用情况',
    media: '素材与预览',
    others: '其他文件',
    kept: '保留空间',
    forMedia: '可用于素材',
    keptFiles_other: '此基站共有 {{amount}} 个文件，{{size}}。',
    nothing: '这里还没有保存任何内容。',
    through: '遥控器上传到这台电脑，再由它转存：文件保存在存储中，而不在这台电脑上。',
    where: '保存位置',
    bucket: '存储桶'
  },
  scrub: {
    title: '所有文件都完好吗？',
    never: '尚未检查完所有文件。检查会在空闲时逐步进行。',
    finished: '所有文件都已读取并与接收时比对，{{ago}}。',
    running: '正在读取并比对文件…',
    waiting: '接收文件期间，以及这台电脑使用电池时，检查会暂停。',
    progress: '{{done}}，共 {{all}}',
    start: '立即检查所有文件',
    started: '正在检查所有文件，您可以继续工作。',
    whole: '没有发现损坏。',
    indexCopied: '文件清单已另存备份，{{ago}}。'
  },
  damaged: {
    title: '损坏的文件',
    intro: {
      here: '这些文件的内容已无法从此磁盘读取。有关它们的信息都还在。',
      elsewhere: '这些文件的内容已无法从存储中读取。有关它们的信息都还在。'
    },
    flight: '飞行：{{name}}',
    send_again: '请重新发送：将存储卡插入遥控器，并在遥控器上打开其媒体，之后会自动重新上传。',
    upload_again: '请重新上传这些文件，它们会自动取代损坏的文件。',
    backup: {
      here: '如果已经没有人保留某个文件，请从数据文件夹的备份中恢复。',
      elsewhere: '如果已经没有人保留某个文件，请从存储的备份中恢复。'
    },
    cause: {
      here: '丢失文件的磁盘可能即将损坏：请将其中的内容复制到另一块磁盘。',
      elsewhere: '丢失文件的存储可能有故障，或有人在其中删除了内容：请联系存储的管理者。'
    },
    others_other: '另有 {{amount}} 个预览等附属文件损坏，有人查看时会重新生成。'
  },
  notConnected: {
    title: '位于未连接存储中的文件',
    intro:
      '这些文件没有丢失。在重新连接该存储之前无法打开它们，其中的内容也不会被改动。仍保有这些文件的遥控器会重新发送。',
    unknown: '以前使用的存储',
    line_other: '{{amount}} 个文件，{{size}}'
  },
  uploads: {
    title: '未完成的上传',
    underWay_other: '{{amount}} 个大文件仍在接收，已收到 {{size}}。',
    idle_other: '其中 {{amount}} 个已停滞一天。',
    help: '请打开遥控器并查看其媒体：上传会从停下的地方继续。一周内无人继续的上传会被放弃。'
  },
  link: {
    title: '与存储的连接',
    latency: '写入、读取并删除一个小文件用时 {{time}}。',
    clocks: '存储与这台电脑的时钟一致。',
    clocksDiffer: '存储与这台电脑的时钟相差 {{time}}。超过 15 分钟，存储会拒绝一切请求。'
  },
  refused: {
    title: '存储拒绝的请求',
    intro: '遥控器只能把文件添加到自己的文件夹。如果某个遥控器无法上传，请重新配对。',
    line_other: '{{operation}}，{{amount}} 次',
    last: '{{resource}}，来自 {{address}}，最近一次 {{ago}}'
  }
}
