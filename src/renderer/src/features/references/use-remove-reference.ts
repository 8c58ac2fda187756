import { useMutation, useQueryClient } from '@tanstack/react-query'
import { useTranslation } from 'react-i18next'
import { getAsset } from '../../../../shared/api/assets.ts'
import { createReference, deleteReference, type Reference } from '../../../../shared/api/references.ts'
import { api } from '../../lib/api.ts'
import { problemText } from '../../lib/problem-text.ts'
import { referenceText } from '../../lib/reference-text.ts'
import { showToast } from '../../lib/toasts.ts'
import { invalidateReferences } from './references.live.ts'

/** The same reference anew; a temporary one for the time it had left. */
function anew({ kind, namespace, owner, externalId, businessTag, expiresAt }: Reference) {
  const secondsLeft = expiresAt === null ? undefined : Math.ceil((Date.parse(expiresAt) - Date.now()) / 1000)
  return {
    kind,
    namespace,
    owner: owner ?? undefined,
    externalId: externalId ?? undefined,
    businessTag: businessTag ?? undefined,
    expiresInSeconds: secondsLeft === undefined ? undefined : Math.max(1, secondsLeft)
  }
}

/** Removes a reference at once, says what that means for the file, and offers to take it back. */
export function useRemoveReference() {
  const { t } = useTranslation()
  const client = useQueryClient()
  const refresh = ({ assetId }: { assetId: string }) => {
    invalidateReferences(client, assetId)
    void client.invalidateQueries({ queryKey: [getAsset.name, assetId] })
  }

  const bringBack = async (reference: Reference) => {
    try {
      await api.call(createReference, { params: { assetId: reference.assetId }, body: anew(reference) })
    } catch (error) {
      showToast({ tone: 'bad', text: t('references.bringBackFailed', { reason: problemText(t, error) }) })
    }
    refresh(reference)
  }

  return useMutation({
    mutationFn: (reference: Reference) => api.call(deleteReference, { params: { referenceId: reference.id } }),
    onSuccess: ({ state }, reference) => {
      const holder = referenceText(t, reference)
      showToast({
        tone: 'info',
        text:
          state === 'pending_reference' && reference.kind === 'strong'
            ? t('references.removedLast', { holder })
            : t('references.removed', { holder }),
        action: { label: t('bin.undo'), run: () => void bringBack(reference) }
      })
    },
    onError: (error) =>
      showToast({ tone: 'bad', text: t('references.removeFailed', { reason: problemText(t, error) }) }),
    onSettled: (_result, _error, reference) => refresh(reference)
  })
}
