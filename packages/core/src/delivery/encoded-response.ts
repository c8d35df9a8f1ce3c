import { Buffer } from 'node:buffer'
import { type ExecutionResult, GraphQLError } from 'graphql'
import { deepFreeze } from '../bus/event-data.ts'
import { copyPlain } from '../canonical.ts'
import type { ErrorReporter } from '../error-reporter.ts'
import type { Counters } from '../counters.ts'
import { formatErrors } from './format-errors.ts'
import { internalErrorResult } from './internal-error.ts'

/** What a transport puts around the JSON of a response where it is the same for every subscriber. */
export interface FrameFormat {
  readonly before: Uint8Array
  readonly after: Uint8Array
}

/** What a response counts with and reports to. */
export interface ResponseServices {
  readonly counters: Counters
  readonly report: ErrorReporter
}

/** Rewrites a result that has errors, for every subscriber of a host alike: error masking. Must not change its argument. */
export type ResultMasker = (result: ExecutionResult) => ExecutionResult

/**
 * The response to one source event, for a whole group: executed once, encoded once, and the same bytes for
 * every subscriber. Everything is made on first use and remembered.
 */
export class EncodedResponse {
  readonly #services: ResponseServices
  #result: ExecutionResult
  #bytes: Buffer | undefined
  #format: FrameFormat | undefined
  #frame: Buffer | undefined
  #moreFrames: Map<FrameFormat, Buffer> | undefined
  #parts: ExecutionResult | undefined
  readonly #isMasked: boolean
  /** It is what a hook made of a response, and may say anything. */
  #isReplaced = false
  #variants: Map<unknown, EncodedResponse> | undefined

  constructor(result: ExecutionResult, services: ResponseServices, isMasked = false) {
    this.#result = result
    this.#services = services
    this.#isMasked = isMasked
  }

  /** As it was executed. Values of custom scalars in it are the application's own: never change or freeze it. */
  get result(): ExecutionResult {
    return this.#result
  }

  /** The JSON of the result, UTF-8. Shared by all subscribers: never write into it. */
  get bytes(): Buffer {
    if (this.#bytes === undefined) this.#bytes = this.#encode()
    return this.#bytes
  }

  /** The bytes within a transport's frame; one buffer per format, whatever the number of subscribers. */
  framed(format: FrameFormat): Buffer {
    if (this.#format === format) return this.#frame as Buffer
    const known = this.#moreFrames?.get(format)
    if (known !== undefined) return known
    const frame = Buffer.concat([format.before, this.bytes, format.after])
    if (this.#format === undefined) {
      this.#format = format
      this.#frame = frame
    } else {
      this.#moreFrames ??= new Map()
      this.#moreFrames.set(format, frame)
    }
    return frame
  }

  /**
   * A result of its own for one of several subscribers who pull, so that what a host's hooks do with it reaches
   * nobody else. Its top level and its `errors` array are the subscriber's; everything below is the same for all
   * and frozen: `data` and `extensions` as they are in the bytes, and the errors, if they have been masked.
   * Errors that have not are copies, for a masker that is still to come has to find their `originalError`.
   */
  toSubscriberResult(): ExecutionResult {
    const { data, errors, extensions } = this.#sharedParts()
    const copy: Mutable<ExecutionResult> = {}
    if (errors !== undefined) copy.errors = this.#isMasked ? [...errors] : errors.map(copyError)
    if (data !== undefined) copy.data = data
    if (extensions !== undefined) copy.extensions = { ...extensions }
    return copy
  }

  /** The response with another result, for one subscriber: what its host's hooks have made of it. */
  replacedBy(result: ExecutionResult): EncodedResponse {
    const replaced = new EncodedResponse(result, this.#services)
    replaced.#isReplaced = true
    return replaced
  }

  /**
   * The same response with its errors rewritten; once per masker. It is itself if there is no error, unless it is what
   * a hook made of one.
   */
  masked(mask: ResultMasker): EncodedResponse {
    if (this.#result.errors === undefined && !this.#isReplaced) return this
    return this.#variant(mask, () => this.#maskedBy(mask), true)
  }

  /** The same response, told that events before it are missing. */
  withGap(reason: string): EncodedResponse {
    return this.#variant(
      reason,
      () => {
        const { extensions } = this.#result
        const sluice = extensions?.['sluice']
        return {
          ...this.#result,
          extensions: {
            ...extensions,
            sluice: { ...(typeof sluice === 'object' ? sluice : undefined), gap: { reason } },
          },
        }
      },
      this.#isMasked,
    )
  }

  /** A masker that fails has let nothing through: neither the errors nor its own. */
  #maskedBy(mask: ResultMasker): ExecutionResult {
    try {
      return freezeErrors(mask(this.#result))
    } catch (error) {
      this.#services.report(error)
      return freezeErrors(internalErrorResult())
    }
  }

  #encode(): Buffer {
    const { counters } = this.#services
    counters.serializations += 1
    try {
      const bytes = Buffer.from(JSON.stringify(formatErrors(this.#result)))
      counters.observer?.serialized?.(bytes.length)
      return bytes
    } catch (error) {
      this.#services.report(error)
      this.#result = internalErrorResult()
      return Buffer.from(JSON.stringify(this.#result))
    }
  }

  #variant(key: unknown, make: () => ExecutionResult, isMasked: boolean): EncodedResponse {
    this.#variants ??= new Map()
    let variant = this.#variants.get(key)
    if (variant === undefined) {
      variant = new EncodedResponse(make(), this.#services, isMasked)
      this.#variants.set(key, variant)
    }
    return variant
  }

  #sharedParts(): ExecutionResult {
    if (this.#parts === undefined) {
      const said = deepFreeze(JSON.parse(this.bytes.toString()) as ExecutionResult)
      const { data, extensions } = said
      const { errors } = this.#result // after the bytes: a result that has none was replaced by an error
      this.#parts = {
        ...(data === undefined ? undefined : { data }),
        ...(errors === undefined ? undefined : { errors }),
        ...(extensions === undefined ? undefined : { extensions }),
      }
      if (data !== null && data !== undefined && Object.keys(said).length === 1) responseByData.set(data, this)
    }
    return this.#parts
  }
}

/**
 * The response whose bytes say exactly what `result` says, or `undefined` if it has to be serialised: it is
 * one only if its `data` is the untouched object of a response and nothing stands beside it. (Going by
 * anything less once carried a result round a host's error masking.)
 */
export function rememberedResponse(result: ExecutionResult): EncodedResponse | undefined {
  const { data } = result
  if (data === null || data === undefined) return undefined
  const response = responseByData.get(data)
  if (response === undefined) return undefined
  for (const key in result) {
    if (key !== 'data' && (result as Record<string, unknown>)[key] !== undefined) return undefined
  }
  return response
}

/** Responses that say nothing but their data, by the object that stands for it in their subscribers' results. */
const responseByData = new WeakMap<object, EncodedResponse>()

function copyError(error: GraphQLError): GraphQLError {
  const { nodes, source, positions, path, originalError, extensions } = error
  return new GraphQLError(error.message, {
    nodes: nodes ?? null,
    source: source ?? null,
    positions: positions ?? null,
    path: path ? [...path] : null,
    originalError: originalError ?? null,
    extensions: copyPlain(extensions, false) as GraphQLError['extensions'],
  })
}

/** Masked errors keep their identity, by which a masker knows its own; so that they can be shared, they are frozen. */
function freezeErrors(result: ExecutionResult): ExecutionResult {
  for (const error of result.errors ?? []) {
    if (Object.isFrozen(error)) continue
    // The extensions may be a constant of the application's: it is not frozen, a copy of it is.
    for (const part of ['extensions', 'path', 'locations'] as const) {
      Object.defineProperty(error, part, { value: copyPlain(error[part], true), enumerable: true })
    }
    Object.freeze(error)
  }
  return result
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] }
