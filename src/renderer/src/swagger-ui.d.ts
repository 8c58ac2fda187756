declare module 'swagger-ui-dist/swagger-ui-bundle.js' {
  /** Renders an OpenAPI document into an element of the page. */
  export default function SwaggerUIBundle(options: {
    url: string
    dom_id: string
    deepLinking: boolean
    validatorUrl: null
    persistAuthorization: boolean
    tryItOutEnabled: boolean
  }): void
}
