import { runSteps } from './steps.ts'

// Everything: unit and integration tests, then the built program in a real browser and in the desktop stand-in.
runSteps([['test:unit'], ['build'], ['test:e2e']])
