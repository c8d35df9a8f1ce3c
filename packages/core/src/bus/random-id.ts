import { Buffer } from 'node:buffer'
import { randomFillSync } from 'node:crypto'

const idBytes = 16
/** Random bytes for 256 ids. */
const pool = Buffer.allocUnsafeSlow(256 * idBytes)
let used = pool.length

/**
 * A new id: 128 random bits as 32 hexadecimal digits, which nobody can guess.
 *
 * (Node's `randomUUID` joins its string out of 20 pieces, which V8 keeps as they are: ten times the memory, for as
 * long as the id is remembered.)
 */
export function randomId(): string {
  if (used === pool.length) {
    randomFillSync(pool)
    used = 0
  }
  used += idBytes
  return pool.toString('hex', used - idBytes, used)
}
