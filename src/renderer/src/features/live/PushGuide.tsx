import { Button, Loader, Title } from '@mantine/core'
import { IconCircleCheckFilled } from '@tabler/icons-react'
import { useQuery } from '@tanstack/react-query'
import { QRCodeSVG } from 'qrcode.react'
import { type ReactNode, useId } from 'react'
import { useTranslation } from 'react-i18next'
import type { MediaSource } from '../../../../shared/api/sources.ts'
import { Callout } from '../../components/Callout.tsx'
import { CopyText } from '../../components/CopyText.tsx'
import { Steps } from '../../components/Steps.tsx'
import { liveSourcesQuery } from '../../lib/sources-query.ts'
import classes from './PushGuide.module.css'
import { truthOf } from './stream-truth.ts'

const qrSizePx = 196

/** How to send a stream, with its address to copy and to scan; tells when it arrives. */
export function PushGuide({
  source,
  after,
  onDone
}: {
  source: MediaSource
  after: 'nothing' | 'creation' | 'replacement'
  onDone: () => void
}) {
  const { t } = useTranslation()
  const listed = useQuery(liveSourcesQuery).data?.items.find(({ id }) => id === source.id)
  // The list may still be one from before the address was made.
  const newest = listed !== undefined && listed.updated_at >= source.updated_at ? listed : source
  const address = newest.push_urls?.rtmp ?? newest.push_url
  return (
    <div className={classes['guide']}>
      {after === 'creation' && <p className={classes['lead']}>{t('live.push.ready', { name: source.name })}</p>}
      {after === 'replacement' && (
        <Callout tone="warn" title={t('live.newKeyDone')}>
          {t('live.newKeyDoneText')}
        </Callout>
      )}
      {address === null ? <p>{t('live.push.none')}</p> : <Ways source={newest} address={address} />}
      <div className={classes['foot']}>
        <Arrival source={newest} />
        <Button size="lg" onClick={onDone}>
          {t('live.push.done')}
        </Button>
      </div>
    </div>
  )
}

function Ways({ source, address }: { source: MediaSource; address: string }) {
  const { t } = useTranslation()
  const others = Object.entries(source.push_urls ?? {}).filter(([, url]) => url !== null && url !== address)
  return (
    <>
      <div className={classes['address']}>
        <div className={classes['copy']}>
          <strong>{t('live.push.address')}</strong>
          <CopyText text={address} large />
          <p className={classes['hint']}>{t('live.push.secret')}</p>
        </div>
        <figure className={classes['code']}>
          <QRCodeSVG value={address} size={qrSizePx} marginSize={3} level="M" title={t('live.push.qr')} />
          <figcaption className={classes['hint']}>{t('live.push.qrHow')}</figcaption>
        </figure>
      </div>
      <Way title={t('live.push.dji')}>
        <Steps>
          <li>{t('live.push.dji1')}</li>
          <li>{t('live.push.dji2')}</li>
          <li>
            {t('live.push.dji3')}
            <CopyText text={address} />
          </li>
        </Steps>
      </Way>
      <Way title={t('live.push.obs')}>
        <Steps>
          <li>{t('live.push.obs1')}</li>
          <li>
            {t('live.push.obs2')}
            <CopyText text={address} />
          </li>
          <li>{t('live.push.obs3')}</li>
          <li>{t('live.push.obs4')}</li>
        </Steps>
      </Way>
      <Way title={t('live.push.ffmpeg')}>
        <p className={classes['hint']}>{t('live.push.ffmpegHow')}</p>
        <CopyText text={ffmpegCommand(address)} />
      </Way>
      {others.length > 0 && (
        <Way title={t('live.push.others')}>
          {others.map(
            ([name, url]) =>
              url !== null && (
                <div key={name} className={classes['other']}>
                  <strong>{name.toUpperCase()}</strong>
                  <CopyText text={url} />
                </div>
              )
          )}
        </Way>
      )}
    </>
  )
}

/** Sends a film as if it were live; what drones send is H264, too. */
export function ffmpegCommand(address: string): string {
  return `ffmpeg -re -stream_loop -1 -i film.mp4 -c:v libx264 -preset veryfast -tune zerolatency -g 50 -c:a aac -f flv "${address}"`
}

function Way({ title, children }: { title: string; children: ReactNode }) {
  const id = useId()
  return (
    <section className={classes['way']} aria-labelledby={id}>
      <Title order={3} size="h4" id={id}>
        {title}
      </Title>
      {children}
    </section>
  )
}

function Arrival({ source }: { source: MediaSource }) {
  const { t } = useTranslation()
  const isHere = truthOf(source).text === 'live'
  return (
    <span className={classes['state']} data-here={isHere} role="status">
      {isHere ? <IconCircleCheckFilled size={26} aria-hidden /> : <Loader size="sm" />}
      {t(isHere ? 'live.push.arrived' : 'live.push.waiting')}
    </span>
  )
}
