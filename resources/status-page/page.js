// The window's page while there is no daemon to show. It has no build step, because it must work when all else fails.

const texts = {
  starting: {
    title: { en: 'Starting…', 'zh-CN': '正在启动…' },
    detail: { en: '', 'zh-CN': '' }
  },
  slow: {
    title: { en: 'Still starting…', 'zh-CN': '仍在启动…' },
    detail: {
      en: 'This takes longer than usual. After an update the catalogue may be converting: let it finish if you can.',
      'zh-CN': '启动时间比平时长。更新之后可能正在转换目录数据，请尽量等待其完成。'
    }
  },
  failed: {
    title: { en: 'The media base is not running', 'zh-CN': '媒体基站未运行' },
    detail: {
      en: 'Controllers cannot upload right now. Files already received are safe.',
      'zh-CN': '遥控器目前无法上传。已接收的文件不会丢失。'
    }
  },
  stopping: {
    title: { en: 'Finishing…', 'zh-CN': '正在收尾…' },
    detail: {
      en: 'Flightcase closes as soon as work under way is safe.',
      'zh-CN': '正在进行的工作安全结束后将自动关闭。'
    }
  },
  stopped: {
    title: { en: 'Stopped', 'zh-CN': '已停止' },
    detail: { en: '', 'zh-CN': '' }
  }
}

const main = document.querySelector('main')
const part = (name) => main.querySelector(`[data-part="${name}"]`)
let countdown

function show(status) {
  const view = status.state === 'starting' && status.slow ? 'slow' : status.state
  const text = texts[view]
  if (!text) return
  main.dataset.state = view
  for (const span of main.querySelectorAll('[data-text]')) span.textContent = text[span.dataset.text][span.lang]

  const failure = status.failure ?? status.lastFailure
  part('failure').hidden = !failure
  if (failure) {
    main.querySelector('[data-failure="message"]').textContent = failure.message
    main.querySelector('[data-failure="code"]').textContent = failure.code
  }
  part('actions').hidden = view !== 'failed' && view !== 'slow'
  showCountdown(status.retryAtMs)
}

function showCountdown(retryAtMs) {
  clearInterval(countdown)
  part('countdown').hidden = retryAtMs === undefined
  if (retryAtMs === undefined) return
  const tick = () => {
    const seconds = Math.max(0, Math.ceil((retryAtMs - Date.now()) / 1000))
    for (const place of main.querySelectorAll('[data-seconds]')) place.textContent = String(seconds)
  }
  tick()
  countdown = setInterval(tick, 250)
}

main.querySelector('[data-action="retry"]').addEventListener('click', () => window.flightcase.retryDaemon())
main.querySelector('[data-action="logs"]').addEventListener('click', () => window.flightcase.openLogFolder())
show({ state: 'starting' })
window.flightcase.onDaemonStatus(show)
