import { Button, Skeleton } from '@mantine/core'
import { IconPlus } from '@tabler/icons-react'
import { useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { Page } from '../../components/Page.tsx'
import { QueryFailure } from '../../components/QueryFailure.tsx'
import { connection } from '../../lib/live-updates.ts'
import { useStore } from '../../lib/store.ts'
import { useMay } from '../../lib/use-may.ts'
import { AddController } from './AddController.tsx'
import { ConnectGuide } from './ConnectGuide.tsx'
import classes from './FieldScreen.module.css'
import { FlightList } from './FlightList.tsx'
import { fieldQuery } from './field.queries.ts'
import { LaneCard } from './LaneCard.tsx'
import { byUrgency } from './lane-verdict.ts'
import { RefusedSignIns } from './RefusedSignIns.tsx'

/** The tether board, and for administrators the dialog that adds controllers to it. */
export function FieldScreen() {
  const mayPair = useMay('admin')
  const [pairing, setPairing] = useState(false)
  return (
    <>
      <Board onAdd={mayPair ? () => setPairing(true) : undefined} />
      {/* Stays when the controller that was added turns the guide into a board. */}
      {pairing && <AddController onClose={() => setPairing(false)} />}
    </>
  )
}

/** What every controller is doing, and whether flights are complete. */
function Board({ onAdd }: { onAdd: (() => void) | undefined }) {
  const { t } = useTranslation()
  const board = useQuery(fieldQuery)
  const lost = useStore(connection).state === 'lost'
  const [guideOpen, setGuideOpen] = useState(false)

  if (board.isPending) return <FieldSkeleton />
  if (board.data === undefined) return <QueryFailure error={board.error} retry={() => void board.refetch()} />
  const { lanes, flights, refusedSignIns } = board.data
  if (lanes.length === 0)
    return (
      <Page title={t('field.title')} titleStays width="pictures">
        <RefusedSignIns refused={refusedSignIns} />
        <ConnectGuide onAdd={onAdd} />
      </Page>
    )

  return (
    <Page
      title={t('field.title')}
      titleStays
      width="pictures"
      actions={
        onAdd ? (
          <Button variant="default" leftSection={<IconPlus size={20} aria-hidden />} onClick={onAdd}>
            {t('pairing.add')}
          </Button>
        ) : (
          !guideOpen && (
            <Button variant="default" onClick={() => setGuideOpen(true)}>
              {t('field.connectAnother')}
            </Button>
          )
        )
      }
    >
      <RefusedSignIns refused={refusedSignIns} />
      {guideOpen && !onAdd && <ConnectGuide onHide={() => setGuideOpen(false)} />}
      <div className={classes['board']} data-stale={lost || undefined}>
        <section aria-label={t('field.lanes')} className={classes['lanes']}>
          {byUrgency(lanes).map((lane) => (
            <LaneCard key={lane.id} lane={lane} filesOpen={lanes.length === 1} />
          ))}
        </section>
        <FlightList flights={flights} />
      </div>
    </Page>
  )
}

function FieldSkeleton() {
  const { t } = useTranslation()
  return (
    <Page title={t('field.title')} titleStays width="pictures" isBusy>
      <div className={classes['board']}>
        <Skeleton height={280} radius="lg" />
        <Skeleton height={200} radius="lg" />
      </div>
    </Page>
  )
}
