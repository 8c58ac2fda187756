import classes from './Stage.module.css'

/** A film with the browser's own controls, which fetch by range. */
export function Player(film: { name: string; source: string; poster: string | undefined; onUnplayable: () => void }) {
  return (
    // biome-ignore lint/a11y/useMediaCaption: aerial footage carries no speech
    <video
      className={classes['video']}
      src={film.source}
      poster={film.poster}
      controls
      preload="metadata"
      playsInline
      aria-label={film.name}
      onError={film.onUnplayable}
      onLoadedMetadata={({ currentTarget: video }) => {
        // A codec the browser lacks leaves the sound track playing over no picture.
        if (video.videoWidth === 0) film.onUnplayable()
      }}
    />
  )
}
