import express, { type Express, type Router } from 'express'

/** The application of the field listener: what controllers may call, and nothing else. */
export function createFieldApp(pilot: Router): Express {
  const app = express()
  app.disable('x-powered-by')
  app.set('etag', false)
  app.set('query parser', false)
  app.use(pilot)
  return app
}
