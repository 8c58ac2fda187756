import { doctorTexts } from '../../../../../shared/doctor-texts.ts'

/** Texts of Doctor, in English. */
export const doctor = {
  title: 'Doctor',
  again: 'Check again',
  checking: 'Checking…',
  checked: 'Checked at {{time}}',
  well: 'All is well',
  problems_one: '1 problem',
  problems_other: '{{count}} problems',
  warnings_one: '1 warning',
  warnings_other: '{{count}} warnings',
  trouble: 'What needs attention',
  rest: 'What is in order',
  state: { problem: 'Problem', warning: 'Warning', ok: 'In order', off: 'Off' },
  reported: 'Reported',
  openJobs: 'Open Jobs',
  see: 'Doctor says what to do',
  forbiddenTitle: 'This takes a link for the whole base',
  forbiddenText: 'Your link shows some workspaces only. Ask whoever runs this base.',
  check: doctorTexts
} as const
