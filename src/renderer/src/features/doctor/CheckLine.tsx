import { IconCircleCheckFilled, IconCircleMinus } from '@tabler/icons-react'
import { useTranslation } from 'react-i18next'
import type { Check } from '../../../../shared/api/doctor.ts'
import classes from './CheckLine.module.css'
import { useSayCheck } from './use-say-check.ts'

/** What is in order, or switched off, in one line. */
export function CheckLine({ check }: { check: Check }) {
  const { t } = useTranslation()
  const { name, what } = useSayCheck(check)
  const StateIcon = check.state === 'ok' ? IconCircleCheckFilled : IconCircleMinus
  return (
    <li className={classes['line']} data-testid="check" data-id={check.id} data-state={check.state}>
      <StateIcon size={24} role="img" aria-label={t(`doctor.state.${check.state}`)} />
      <strong>{name}</strong>
      <span className={classes['what']}>{what}</span>
    </li>
  )
}
