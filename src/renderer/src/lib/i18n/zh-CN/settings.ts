import type { Translation } from '../translation.ts'

/** Texts of Settings, in Simplified Chinese. */
export const settings: Translation['settings'] = {
  title: '设置',
  forbiddenTitle: '需要管理员链接',
  forbiddenText: '您的链接权限不足。请联系此基站的管理者。',
  store: {
    title: '素材保存位置',
    mode: '素材保存位置',
    modes: { embedded: '这台电脑', external: 'S3 存储', gateway: '经由这台电脑的 S3 存储' },
    embeddedHow: '无需设置：遥控器上传到这台电脑，所有内容都在其数据文件夹中。',
    externalHow: '遥控器直接上传到运行在别处的存储，例如服务器上的 MinIO。',
    gatewayHow: '遥控器上传到这台电脑，再由它转存到运行在别处的存储。文件保存在那里，而不在这台电脑上。',
    profile: '存储类型',
    profiles: {
      minio: 'MinIO、Silo、AIStor',
      rustfs: 'RustFS',
      seaweedfs: 'SeaweedFS',
      ceph: 'Ceph',
      aws: 'Amazon S3',
      oss: '阿里云 OSS',
      cos: '腾讯云 COS',
      generic: '其他'
    },
    endpoint: '存储地址',
    publicEndpoint: '供遥控器使用的地址',
    publicEndpointHow: '仅当遥控器使用的存储地址与这台电脑不同时才需要。',
    publicEndpointHereHow: '仅当遥控器访问这台电脑所用的地址与其自身地址不同时才需要。',
    region: '区域',
    bucket: '存储桶',
    accessKey: '访问密钥',
    secretKey: '私有密钥',
    keyIsSet: '保持不变',
    keyHow: '密钥不会再次显示。留空则保持不变。',
    fixed: {
      option: '由启动选项 {{where}} 指定。要在这里更改，请不带此选项启动 Flightcase。',
      environment: '由环境变量 {{where}} 指定。要在这里更改，请不带此变量启动 Flightcase。',
      file: '在配置文件中指定：{{where}}。要在这里更改，请先从文件中移除。'
    },
    faults: {
      needed: '此项必填。',
      address: '须以 http:// 或 https:// 开头。',
      bucket: '3 至 63 个小写字母、数字、点或连字符。',
      other: '此值不可用。',
      needs_gateway: '此类存储不提供遥控器所需的临时密钥。请改为让所有内容经由这台电脑。',
      needs_role:
        '此类存储要求为遥控器的密钥指定角色。请在启动 Flightcase 的地方设置：配置文件中的 store.role_arn，或 FLIGHTCASE_S3_ROLE_ARN。'
    },
    test: '测试连接',
    save: '保存',
    saved: '已保存，下次启动时生效。',
    stays_other:
      '当前存储中有 {{amount}} 个文件（{{size}}），它们会留在那里。重新启动后，在切换回来之前无法打开。不会删除任何内容。',
    restartTitle: '下次启动时生效',
    restart: '在此之前，素材仍保存在 {{place}}。请在没有遥控器上传时重新启动基站。',
    restartDesktop: '在此之前，素材仍保存在 {{place}}。请在没有遥控器上传时退出并重新打开 Flightcase。',
    undo: '保留当前存储',
    undone: '继续使用当前存储。'
  },
  connection: {
    testing: '正在测试存储…',
    ok: '存储满足所有要求',
    failed: '目前还不能使用',
    reported: '报告内容',
    outcome: { ok: '正常', failed: '问题', skipped: '未测试' },
    step: {
      reach: '有应答',
      clock: '时钟一致',
      credentials: '接受密钥',
      bucket: '存储桶存在',
      write: '可以写入和读取文件',
      sts: '为遥控器发放临时密钥',
      policy: '遥控器只能添加文件'
    },
    detail: {
      refused: '该地址上没有服务。请检查端口，以及存储是否在运行。',
      unknown_host: '找不到该名称的主机。请检查地址；使用数字地址（如 192.168.1.9）无需域名服务。',
      untrusted_certificate: '这台电脑不信任该存储的证书。请为存储换用受信任的证书。',
      no_answer: '该地址没有应答。请检查网络、存储的防火墙以及地址。',
      clock_differs: '它的时钟与这台电脑的时钟相差太多。请校准这台电脑或存储的时钟。',
      clock_differs_by: '它的时钟与这台电脑的时钟相差 {{time}}。请校准这台电脑或存储的时钟。',
      unknown_access_key: '存储不认识此访问密钥。请检查是否多了或少了字符。',
      wrong_secret_key: '私有密钥与此访问密钥不匹配。请重新输入。',
      no_bucket: '存储中没有此名称的存储桶。请在存储中建立，或填写另一个名称。',
      wrong_region: '存储桶位于另一个区域，报告内容中有其名称。',
      denied: '该密钥没有此权限。请授予其用户在此存储桶中读取、写入、列出和删除的权限。',
      full: '存储已满，请在存储中腾出空间。',
      other_bytes: '读回的内容与写入的不同。请勿使用此存储，中间环节有故障。',
      no_sts:
        '该存储不提供遥控器所需的临时密钥（STS AssumeRole）。请选择其他存储；如有此选项，也可让所有内容经由这台电脑。',
      sts_refused:
        '该存储不向此访问密钥发放遥控器所需的临时密钥。如果存储使用角色：所设角色（store.role_arn）必须存在，且此密钥必须有权使用它。如果没有角色：请填写用户本身的密钥，而不是为程序另建的密钥。',
      wrong_role:
        '该存储要求为遥控器的密钥指定角色，而所设角色缺失或有误。请在启动 Flightcase 的地方设置：配置文件中的 store.role_arn，或 FLIGHTCASE_S3_ROLE_ARN。',
      too_wide: '临时密钥的权限不止添加文件：丢失的遥控器可能读取或删除内容。该存储忽略了限制策略，请勿使用。',
      too_narrow: '临时密钥连添加文件都不行。请授予该密钥的用户向此存储桶写入对象的权限。',
      unexpected: '存储给出了未知的回答。请把报告内容交给存储的管理者。'
    }
  }
}
