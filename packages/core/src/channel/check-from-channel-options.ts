import * as v from 'valibot'
import { checkOptions, functionSchema } from '../check-options.ts'

const name = v.pipe(v.string(), v.minLength(1), v.maxLength(256))

const schema = v.strictObject({
  channel: v.union([name, v.pipe(v.array(name), v.minLength(1)), functionSchema]),
  types: v.optional(v.pipe(v.array(name), v.minLength(1))),
  share: v.optional(v.union([v.picklist(['subscriber', 'user', 'tenant']), functionSchema])),
  match: v.optional(v.union([v.record(v.string(), v.unknown()), functionSchema])),
  filter: v.optional(functionSchema),
  tenancy: v.optional(v.picklist(['scoped', 'shared'])),
  onGap: v.optional(v.picklist(['signal', 'end'])),
  resolve: v.optional(functionSchema),
})

/** @throws SluiceError BAD_CONFIG, naming the option. */
export function checkFromChannelOptions(options: unknown): void {
  checkOptions('fromChannel', schema, options)
}
