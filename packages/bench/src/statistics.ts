/**
 * The value below which that share of the values lies, interpolated between its two neighbours.
 *
 * @param share 0 to 1
 * @throws RangeError if there are no values, or the share is none
 */
export function quantile(values: ArrayLike<number>, share: number): number {
  if (values.length === 0) throw new RangeError('There is no quantile of no values.')
  if (!(share >= 0 && share <= 1)) throw new RangeError(`A share is a number from 0 to 1, not ${share}.`)
  const sorted = Float64Array.from(values).sort()
  const place = share * (sorted.length - 1)
  const below = sorted[Math.floor(place)] as number
  const above = sorted[Math.ceil(place)] as number
  return below + (above - below) * (place - Math.floor(place))
}

/** @throws RangeError if there are no values */
export function median(values: ArrayLike<number>): number {
  return quantile(values, 0.5)
}

/**
 * The median of the ratios of values that were measured side by side. A machine that slows down for a while slows down
 * both of a pair, so this is steadier than the ratio of two medians.
 *
 * @throws RangeError if there are no pairs, or not as many of one as of the other
 */
export function medianRatio(values: readonly number[], references: readonly number[]): number {
  if (values.length !== references.length) {
    throw new RangeError(`${values.length} values cannot be paired with ${references.length} references.`)
  }
  return median(values.map((value, index) => value / (references[index] as number)))
}
