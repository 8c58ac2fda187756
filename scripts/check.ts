import { runSteps } from './steps.ts'

// "Ready": the lock file, style and import directions, types, the API document, then every test.
runSteps([['check:lock'], ['lint'], ['typecheck'], ['openapi', '--check'], ['test']])
