import { type QueryClient, queryOptions } from '@tanstack/react-query'
import type { z } from 'zod'
import { type createToken, getStatus, listTokens, type tokenSchema } from '../../../../shared/api/system.ts'
import { api } from '../../lib/api.ts'

export type Token = z.infer<typeof tokenSchema>

/** A token at the one moment its secret is known. */
export type NewToken = z.output<(typeof createToken)['response']>

/** All tokens ever issued to controllers, revoked ones included. Asked for often: nothing tells when one is used. */
export const controllerTokensQuery = queryOptions({
  queryKey: [listTokens.name],
  queryFn: async ({ signal }) =>
    (await api.call(listTokens, {}, signal)).items.filter(({ role }) => role === 'controller'),
  refetchInterval: 3000
})

/** After a token was made or revoked: reads the tokens again, and whether any controller can sign in. */
export function invalidateTokens(client: QueryClient): void {
  void client.invalidateQueries({ queryKey: controllerTokensQuery.queryKey })
  void client.invalidateQueries({ queryKey: [getStatus.name] })
}

/** The lowest number from 1 whose name, made by `nameOf`, no token has had. */
export function freeNumber(tokens: readonly Pick<Token, 'name'>[], nameOf: (number: number) => string): number {
  const taken = new Set(tokens.map(({ name }) => name))
  let number = 1
  while (taken.has(nameOf(number))) number += 1
  return number
}
