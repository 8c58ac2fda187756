import {
  createWebhook,
  deleteWebhook,
  getWebhook,
  listWebhookDeliveries,
  listWebhooks,
  replayDelivery,
  replayWebhook,
  rotateWebhookSecret,
  testWebhook,
  updateWebhook
} from '../../../shared/api/webhooks.ts'
import type { EndpointBinder } from '../../http/bind-endpoint.ts'
import type { WebhooksService } from './webhooks.service.ts'

export function bindWebhooks(binder: EndpointBinder, service: WebhooksService): void {
  binder.bind(listWebhooks, () => ({ items: service.list() }))
  binder.bind(createWebhook, ({ body }) => service.create(body))
  binder.bind(getWebhook, ({ params }) => service.get(params.webhookId))
  binder.bind(updateWebhook, ({ params, body }) => service.update(params.webhookId, body))
  binder.bind(deleteWebhook, async ({ params }) => void (await service.delete(params.webhookId)))
  binder.bind(rotateWebhookSecret, ({ params }) => service.rotateSecret(params.webhookId))
  binder.bind(testWebhook, ({ params }) => service.test(params.webhookId))
  binder.bind(listWebhookDeliveries, ({ params, query }) => service.listDeliveries(params.webhookId, query))
  binder.bind(replayDelivery, ({ params }) => service.replayDelivery(params.webhookId, params.deliveryId))
  binder.bind(replayWebhook, ({ params, body }) => service.replayFrom(params.webhookId, body))
}
