import { z } from 'zod'

export interface UploadTypeRule {
  /** Lower case: a MIME type, or one with a star for its second half or both. */
  pattern: string
  /** Null: the general limit. */
  maxSizeBytes: number | null
}

const TYPE_RULE = /^(\*\/\*|[\w.+-]+\/(?:\*|[\w.+-]+))(?:=(\d{1,4}(?:\.\d{1,9})?))?$/
/** `image/*=0.5, video/*`: the types that are allowed, each with the largest size in GB where the general one is too much. */
export const typeRulesSchema = z.string().transform((text, context): UploadTypeRule[] =>
  text.split(',').flatMap((rule) => {
    const [, pattern, maxGb] = TYPE_RULE.exec(rule.replaceAll(/\s/g, '')) ?? []
    if (pattern !== undefined)
      return {
        pattern: pattern.toLowerCase(),
        maxSizeBytes: maxGb === undefined ? null : Math.round(Number(maxGb) * 1e9)
      }
    context.addIssue({ code: 'custom', message: 'must be a list like image/*, video/mp4=2, application/pdf=0.1' })
    return []
  })
)
