/** What the shell itself says, outside of any page. */
export interface Texts {
  open: string
  quit: string
  receiving: string
  idle: string
  starting: string
  notRunning: string
  dataFolder: string
  logFolder: string
  hiddenTitle: string
  hiddenBody: string
  quitQuestion: string
  quitDetail: string
  keepReceiving: string
  quitAnyway: string
}

const english: Texts = {
  open: 'Open Flightcase',
  quit: 'Quit',
  receiving: 'Receiving or working…',
  idle: 'Ready, nothing to do',
  starting: 'Starting…',
  notRunning: 'Not running',
  dataFolder: 'Show data folder',
  logFolder: 'Show log folder',
  hiddenTitle: 'Flightcase keeps running',
  hiddenBody: 'Controllers can still upload. To open or quit it, use its icon in the system tray.',
  quitQuestion: 'Files are still being received or processed. Quit anyway?',
  quitDetail:
    'Uploads under way will be cut off; the controllers have to send those files again. Everything already received is safe.',
  keepReceiving: 'Keep receiving',
  quitAnyway: 'Quit anyway'
}

const simplifiedChinese: Texts = {
  open: '打开 Flightcase',
  quit: '退出',
  receiving: '正在接收或处理…',
  idle: '就绪，暂无任务',
  starting: '正在启动…',
  notRunning: '未运行',
  dataFolder: '打开数据文件夹',
  logFolder: '打开日志文件夹',
  hiddenTitle: 'Flightcase 仍在运行',
  hiddenBody: '遥控器仍可上传文件。如需打开或退出，请使用系统托盘中的图标。',
  quitQuestion: '仍在接收或处理文件，确定要退出吗？',
  quitDetail: '正在进行的上传会中断，遥控器需要重新发送这些文件。已接收的文件不会丢失。',
  keepReceiving: '继续接收',
  quitAnyway: '仍然退出'
}

/** The texts for a locale such as `zh-CN`; English when there are none. */
export function textsFor(locale: string): Texts {
  return locale.toLowerCase().startsWith('zh') ? simplifiedChinese : english
}
