import type { Translation } from '../translation.ts'

/** Texts of Doctor, in Simplified Chinese. */
export const doctor: Translation['doctor'] = {
  title: '诊断',
  again: '重新检查',
  checking: '正在检查…',
  checked: '检查于 {{time}}',
  well: '一切正常',
  problems_other: '{{count}} 个问题',
  warnings_other: '{{count}} 个警告',
  trouble: '需要处理',
  rest: '正常的项目',
  state: { problem: '问题', warning: '警告', ok: '正常', off: '未启用' },
  reported: '报告内容',
  openJobs: '打开任务',
  see: '在“诊断”中查看解决办法',
  forbiddenTitle: '需要可查看整个基站的链接',
  forbiddenText: '您的链接只能查看部分工作空间。请联系管理此基站的人。',
  check: {
    data_folder: {
      name: '数据文件夹',
      fine: { what: '所有数据保存在 {{path}}，Flightcase 可以写入，其他用户无法查看。' },
      others_may_look: {
        what: '这台电脑的所有用户都能查看 {{path}}。',
        help: '如果还有别人使用这台电脑，请用此命令限制访问：'
      },
      not_writable: {
        what: '无法保存任何内容：Flightcase 不能写入 {{path}}。',
        help: '请让运行 Flightcase 的用户拥有写入权限，或检查磁盘是否写保护。'
      },
      missing: {
        what: '{{path}} 中没有基站数据。',
        help: '如果数据在另一块磁盘上，请连接该磁盘。否则请指定正确的文件夹，或启动一次 Flightcase 以新建基站。'
      }
    },
    data_room: {
      name: '素材空间',
      fine: { what: '数据文件夹所在磁盘剩余 {{freeBytes}}。' },
      scarce: {
        what: '数据文件夹所在磁盘只剩 {{freeBytes}}，一次飞行就可能占满。',
        help: '请在下次上传前清空回收站，或删除磁盘上不需要的内容。'
      },
      full: {
        what: '数据文件夹所在磁盘已满：只剩 {{freeBytes}}。遥控器无法上传。',
        help: '请清空回收站，或删除磁盘上不需要的内容。数据文件夹在这里：'
      }
    },
    recordings_room: {
      name: '录像空间',
      fine: { what: '{{path}} 还有 {{freeBytes}} 可用于直播录像。' },
      scarce: {
        what: '直播录像的空间只剩 {{freeBytes}}。',
        help: '请删除旧录像，或删除磁盘上不需要的内容。'
      },
      full: {
        what: '空间太少，不再录像：只剩 {{freeBytes}}。达到 {{enoughBytes}} 后会自动继续。',
        help: '请删除旧录像，或删除磁盘上不需要的内容。录像在这里：'
      },
      away: {
        what: '存放录像的磁盘不在。',
        help: '请重新连接。录像没有丢失，查找位置是：'
      },
      off: { what: '此基站不自行保存录像。' }
    },
    database: {
      name: '目录数据库',
      answers: { what: '目录数据库正常应答，大小 {{sizeBytes}}。' },
      sound: { what: '目录数据库已通读，完好无损，大小 {{sizeBytes}}。' },
      older: { what: '目录数据库来自较旧的 Flightcase，下次启动时会升级。' },
      newer: {
        what: '目录数据库来自更新的 Flightcase，当前程序无法读取。',
        help: '请使用更新的程序。'
      },
      long_log: {
        what: '目录数据库的日志已增长到 {{logBytes}}。',
        help: '请在没有遥控器上传时关闭并重新启动 Flightcase，日志会随之整理。'
      },
      damaged: {
        what: '目录数据库已损坏。',
        help: '请关闭 Flightcase，先把整个数据文件夹复制到另一块磁盘，然后寻求帮助。素材本身与目录分开保存。'
      },
      off: { what: '还没有目录数据库。' }
    },
    store: {
      name: '素材存储',
      embedded: { what: '素材保存在 {{place}}，可以写入和读取。' },
      external: { what: '{{place}} 的存储可以写入和读取素材（存储桶 {{bucket}}）。' },
      gateway: { what: '{{place}} 的存储可以写入和读取素材（存储桶 {{bucket}}），遥控器只通过此基站访问它。' },
      minio: {
        what: '{{place}} 的存储可以写入和读取素材（存储桶 {{bucket}}）。它自称 {{server}}：MinIO 的所有开源版本中，只要知道访问密钥 ID，无需密钥即可写入文件（CVE-2026-41145、CVE-2026-40344），而遥控器都知道一个。',
        help: '除非它是 2026 年 4 月之后的 Silo 或 AIStor，否则请使用 gateway 存储模式，使遥控器不知道它的任何密钥，并且不要让不信任的人进入它的网络。'
      },
      full: { what: '素材存储已满，遥控器无法上传。', help: '请清空回收站，或在其磁盘上腾出空间。' },
      read_only: {
        what: '{{place}} 所在的磁盘不再接受写入。已有内容仍可读取，但遥控器无法上传。',
        help: '磁盘可能即将损坏，或曾被短暂拔出。请先将其中的内容复制到另一块磁盘，然后重新连接并重新启动 Flightcase。'
      },
      unplugged: {
        what: '存放素材的磁盘不在：{{place}} 已不存在。没有删除任何内容。',
        help: '请重新连接该磁盘，之后上传会自动继续。'
      },
      unreachable: {
        what: '{{place}} 的素材存储没有应答，恢复之前无法接收任何内容。',
        help: '请检查它是否在运行，以及这台电脑是否在它的网络中。它的地址由此设置指定：'
      },
      refused: {
        what: '{{place}} 的素材存储不接受我们的密钥，或不允许使用存储桶 {{bucket}}。',
        help: '请检查密钥及其权限。密钥由这些设置指定：'
      },
      no_bucket: {
        what: '{{place}} 的素材存储中没有存储桶 {{bucket}}。',
        help: '请在存储中创建该存储桶，或用此设置指定另一个：'
      },
      other_store: {
        what: '{{place}} 的存储桶 {{bucket}} 中没有此基站的文件：它是另一个存储，或者已被清空。',
        help: '请连接保存这些文件的存储，或从备份恢复该存储桶。如果它已无法找回，请选择一个新的存储桶，已有的文件记录不会丢失。存储的位置由这些设置指定：'
      },
      clock_differs: {
        what: '这台电脑与素材存储的时钟相差 {{differenceMs}}。超过 15 分钟后它会拒绝所有请求。',
        help: '请校准这台电脑或存储的时钟。'
      },
      files_unknown: {
        what: '素材存储的索引是从副本恢复的，或曾丢失部分内容。索引中没有的文件都已保留，数量：{{keptCount}}。',
        help: '其中可能有目前无法打开的素材。请不要改动 {{place}}，关闭 Flightcase，并请管理此基站的人执行以下命令，它可能找回这些文件的名称：'
      },
      files_unchecked: {
        what: '素材存储中有些文件无法打开，因此无法确认它们是否完好，数量：{{uncheckedCount}}。',
        help: '可能是杀毒软件占用了这些文件，或复制时丢失了权限。Flightcase 必须能读取以下位置的全部内容：'
      },
      place_doubtful: {
        what: '素材保存在 {{place}}，可以读写，但这个位置（{{kind}}）不够安全。',
        help: 'FAT 卷、网络共享和同步文件夹可能丢失或改动素材。请关闭 Flightcase，将整个数据文件夹复制到本地磁盘，并用它启动。'
      },
      index_damaged: {
        what: '素材存储的索引已损坏。素材本身保存在单独的文件中。',
        help: '请在没有遥控器上传时关闭 Flightcase，并请管理此基站的人执行以下命令，它会用每日副本和日志重建索引：'
      },
      clock_refused: {
        what: '素材存储拒绝了我们：它的时钟与这台电脑相差太多。',
        help: '请校准这台电脑或存储的时钟。'
      },
      broken: {
        what: '{{place}} 的素材存储出现故障。',
        help: '请重新启动 Flightcase。如果没有帮助，请把报告内容交给管理此基站的人。'
      },
      off: { what: '素材保存在 {{place}}，只有运行中的基站才能检查。' }
    },
    listeners: {
      name: '端口',
      open: { what: 'Flightcase 的监听地址：{{open}}。' },
      free: { what: '所有端口都可用：{{free}}。' },
      in_use: { what: 'Flightcase 正在运行，并占有它的端口。' },
      link_off: {
        what: '遥控器可以上传，但无法保持连接：其他程序占用了 {{taken}}。',
        help: '请结束该程序，然后重新启动 Flightcase。此命令会显示是哪个程序：'
      },
      less_taken: {
        what: '其他程序占用了 Flightcase 可以不用的端口：{{taken}}。需要它的功能将关闭。',
        help: '请在启动 Flightcase 之前结束该程序。此命令会显示是哪个程序：'
      },
      taken: {
        what: 'Flightcase 无法启动：不能使用 {{taken}}。',
        help: '请结束占用的程序，或在设置中指定另一个端口。此命令会显示是哪个程序：'
      },
      unseen: { what: '当前用户无法看到 Flightcase 是否在运行并占有它的端口。' }
    },
    network: {
      name: '遥控器网络',
      one: { what: '遥控器通过 {{addresses}} 连接此基站。' },
      several: { what: '这台电脑在多个网络中。请在遥控器上填写它所在网络的地址：{{addresses}}。' },
      named: { what: '遥控器通过 {{addresses}} 连接此基站。' },
      this_computer: {
        what: '遥控器无法连接此基站：监听地址 {{addresses}} 只有这台电脑能打开。',
        help: '如果遥控器需要上传到这里，请用此设置指定其网络中的地址，或用 0.0.0.0:8700 表示所有网络：'
      },
      none: {
        what: '遥控器无法连接此基站：这台电脑没有接入任何网络。',
        help: '请接入遥控器使用的 Wi-Fi 或路由器。可能是网线松脱，或 Wi-Fi 已关闭。'
      }
    },
    clock: {
      name: '时钟',
      fine: { what: '时钟显示 {{nowAt}}（{{zone}}）。' },
      too_early: {
        what: '这台电脑的时钟不对：显示 {{nowAt}}。遥控器和存储会拒绝错误的时间，文件日期也会出错。',
        help: '请在这台电脑的系统设置中校准日期和时间。'
      },
      went_back: {
        what: '时钟显示 {{nowAt}}，但 {{newestAt}} 已经收到过内容。时钟现在或曾经不对。',
        help: '请在这台电脑的系统设置中校准日期和时间。'
      }
    },
    ffmpeg: {
      name: '视频工具（ffmpeg）',
      fine: { what: 'ffmpeg {{version}} 负责生成视频预览，位置是 {{path}}。' },
      missing: {
        what: '缺少 ffmpeg：视频没有预览，也不能剪辑片段。上传不受影响。',
        help: '请在这台电脑上安装 ffmpeg，或用此设置指定该程序：'
      },
      broken: {
        what: '有 ffmpeg 但无法运行：视频没有预览，也不能剪辑片段。',
        help: '请更换此程序：'
      }
    },
    thumbnails: {
      name: '照片预览',
      fine: { what: '可以生成照片预览（sharp {{version}}）。' },
      broken: { what: '无法生成照片预览。上传不受影响。', help: '请重新安装 Flightcase。' }
    },
    media_server: {
      name: '直播（MediaMTX）',
      ready: { what: 'MediaMTX {{version}} 正在运行，位置是 {{place}}。' },
      external: { what: '{{place}} 的 MediaMTX {{version}} 正常应答。' },
      found: { what: 'MediaMTX {{version}} 位于 {{place}}，随 Flightcase 一起启动。' },
      off: { what: '直播已关闭。' },
      starting: { what: 'MediaMTX {{version}} 正在启动。', help: '请过几秒再检查。' },
      often_again: {
        what: 'MediaMTX {{version}} 在运行，但自 Flightcase 启动以来中断并恢复了 {{returns}} 次。',
        help: '每次中断时视频流都会断开。Flightcase 的日志说明了原因。'
      },
      remarks: { what: 'MediaMTX {{version}} 可以使用，但有限制。', help: '报告内容说明了需要更改什么。' },
      mediamtx_missing: {
        what: '直播需要 MediaMTX 程序，这里没有。其他功能不受影响。',
        help: '请下载 MediaMTX {{tested}}（第一行）并解压。然后把程序放到系统查找程序的位置（PATH），或把第二行（改成实际位置）写在 {{settingsFile}} 的开头，再重新启动 Flightcase。部分桌面应用安装包自带 MediaMTX。'
      },
      mediamtx_unusable: {
        what: '找到的 MediaMTX 程序无法运行。',
        help: '它可能适用于另一种电脑。请下载 {{tested}}（第一行），并把第二行（改成实际位置）写在 {{settingsFile}} 的开头。'
      },
      mediamtx_too_old: {
        what: '找到的 MediaMTX 程序版本过旧。',
        help: '请下载 {{tested}}（第一行），并把第二行（改成实际位置）写在 {{settingsFile}} 的开头。'
      },
      port_taken: {
        what: 'MediaMTX 在运行，但部分功能关闭：其他程序占用了它的一个端口。',
        help: '请结束该程序，然后重新启动 Flightcase。'
      },
      recordings_folder_unusable: {
        what: '直播已停用：录像文件夹无法使用。',
        help: '请连接其磁盘，或用此设置指定另一个文件夹：'
      },
      server_ended: {
        what: 'MediaMTX 自行退出，Flightcase 会重新启动它。',
        help: '请过一分钟再检查。如果一直这样，Flightcase 的日志有更多说明。'
      },
      server_silent: {
        what: 'MediaMTX 在运行但没有应答。如果持续如此，Flightcase 会重新启动它。',
        help: '请过一分钟再检查。'
      },
      server_refuses: {
        what: '指定的 MediaMTX 不接受此基站。',
        help: '需要由其管理者进行设置。这些设置指定了它的位置和我们的身份：'
      },
      server_unreachable: {
        what: '指定的 MediaMTX 没有应答。',
        help: '请启动它，并检查网络。它的位置由此设置指定：'
      }
    },
    jobs: {
      name: '基站任务',
      fine: { what: '任务进行正常。正在等待：{{waitingCount}}。' },
      gave_up: {
        what: '有些任务未能完成，例如生成预览。数量：{{deadCount}}。文件本身是安全的。',
        help: '请打开“任务”：那里说明每项任务的原因，并可重试。'
      },
      stuck: {
        what: '任务已等待 {{waitedMs}}，没有任何任务在进行。',
        help: '请重新启动 Flightcase。如果没有帮助，它的日志有更多说明。'
      }
    },
    any: {
      no_answer: { what: '在 {{limitMs}} 内没有应答。', help: '磁盘或网络可能很慢或卡住。请重新检查。' },
      failed: { what: '无法检查此项。', help: '请把报告内容交给管理此基站的人。' }
    }
  }
}
