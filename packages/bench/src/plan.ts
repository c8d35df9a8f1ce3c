/** How much is measured. */
export interface Plan {
  /** Sockets of each server. */
  readonly socketCount: number
  readonly roundCount: number
  /** Rounds before those that count. */
  readonly warmUpCount: number
  /** How long a round of a server goes on; its last tick is always finished. */
  readonly roundMs: number
  /** How long a round of something in-process goes on, about. */
  readonly inProcessRoundMs: number
  /** Subscriptions whose heap is measured. */
  readonly heapCount: number
}

export const fullPlan: Plan = {
  socketCount: 1000,
  roundCount: 7,
  warmUpCount: 2,
  roundMs: 1000,
  inProcessRoundMs: 400,
  heapCount: 50_000,
}

/** To see that everything works; its figures are rough. */
export const quickPlan: Plan = {
  socketCount: 200,
  roundCount: 5,
  warmUpCount: 2,
  roundMs: 60,
  inProcessRoundMs: 40,
  heapCount: 10_000,
}
