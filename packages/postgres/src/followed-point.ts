/** How far someone has been told the events of a channel. */
export interface FollowedPoint {
  /** `undefined`: the channel had no event. */
  readonly generation: string | undefined
  readonly offset: number
  readonly anchor: string
}

/** Whether `offset` of `generation` is at or before a point. */
export function isTold(point: FollowedPoint, generation: string, offset: number): boolean {
  return point.generation === generation && offset <= point.offset
}
