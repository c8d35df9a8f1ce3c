import { Buffer } from 'node:buffer'
import { type FrameFormat, internalErrorResult, rememberedResponse } from '@sluice/core'
import type { ExecutionResult } from 'graphql'
import { sanitizeResult } from './sanitize-result.ts'

/** Distinct connections mode. @see https://github.com/enisdenjo/graphql-sse/blob/master/PROTOCOL.md */
const nextFrame: FrameFormat = { before: Buffer.from('event: next\ndata: '), after: Buffer.from('\n\n') }

export const completeEvent: Uint8Array = Buffer.from('event: complete\ndata:\n\n')
export const comment: Uint8Array = Buffer.from(':\n\n')

/** What a group's subscribers are told as well when their event failed; the failure itself is not in it. */
export const internalErrorEvent: Uint8Array = nextEvent(internalErrorResult())

/** @throws what JSON.stringify or a `toJSON` throws */
export function nextEvent(result: ExecutionResult): Uint8Array {
  const shared = rememberedResponse(result)
  if (shared !== undefined) return shared.framed(nextFrame)
  return Buffer.from(`event: next\ndata: ${JSON.stringify(sanitizeResult(result))}\n\n`)
}
