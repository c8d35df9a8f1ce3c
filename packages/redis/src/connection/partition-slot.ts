import slotOf from 'cluster-key-slot'
import { hashTag, partitionCount } from '../keys.ts'

const slots: readonly number[] = Array.from({ length: partitionCount }, (_, partition) => slotOf(hashTag(partition)))

/** The hash slot of a partition's keys, by which a cluster knows whose they are. */
export function partitionSlot(partition: number): number {
  return slots[partition] as number
}
