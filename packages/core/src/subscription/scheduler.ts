import { FifoQueue } from '../collections/fifo-queue.ts'

/** Something that has work for the scheduler, a piece at a time. */
export interface Task {
  /**
   * Does one piece of work. A promise means that it goes on asynchronously, and counts as a concurrent
   * execution until it settles; it never rejects. Whoever has more to do schedules itself again.
   */
  run(): PromiseLike<void> | undefined
}

/** How long synchronous work may hold up the event loop, in milliseconds. */
const sliceMs = 10

/**
 * Bounds the work: so many asynchronous executions at a time, and synchronous work in slices, between which
 * timers and sockets get their turn. Tasks take turns, so that none waits for another's backlog.
 *
 * Work starts at once, within the call of {@link flush}, while the slice of this turn of the event loop lasts.
 */
export class Scheduler {
  readonly #tasks = new FifoQueue<Task>()
  readonly #maxConcurrent: number
  #concurrent = 0
  #running = false
  /** Set while this turn's slice lasts; it fires at the end of the turn. */
  #turn: NodeJS.Immediate | undefined
  #sliceEnd = 0
  #whenTurned: (() => void)[] = []
  #whenIdle: (() => void)[] = []

  constructor(maxConcurrentExecutions: number) {
    this.#maxConcurrent = maxConcurrentExecutions
  }

  /** A task has work. A task is scheduled at most once at a time; that is the caller's business. */
  schedule(task: Task): void {
    this.#tasks.push(task)
  }

  /** Whether this turn's time is used up: what is left goes on in the next turn. */
  isSliceOver(): boolean {
    return performance.now() >= this.#sliceEnd
  }

  /** Works until nothing is left, or the slice is over, or too much goes on asynchronously. */
  flush(): void {
    if (this.#running || this.#tasks.size === 0) return
    if (this.#turn === undefined) this.#beginSlice()
    else if (this.isSliceOver()) return
    this.#running = true
    while (this.#tasks.size > 0 && this.#concurrent < this.#maxConcurrent) {
      const going = (this.#tasks.shift() as Task).run()
      if (going !== undefined) {
        this.#concurrent += 1
        going.then(this.#settled)
      }
      if (this.isSliceOver()) break
    }
    this.#running = false
    this.#announceIdle()
  }

  /**
   * Resolves at once unless there is work for which this turn had no time; then in the next turn. A publisher
   * that awaits it publishes no faster than the work gets done.
   */
  keepPace(): Promise<void> | undefined {
    if (this.#tasks.size === 0 || this.#turn === undefined || !this.isSliceOver()) return undefined
    return new Promise((resolve) => this.#whenTurned.push(resolve))
  }

  /** Resolves when there is neither work nor an execution under way. */
  idle(): Promise<void> {
    if (this.#isIdle()) return Promise.resolve()
    return new Promise((resolve) => this.#whenIdle.push(resolve))
  }

  readonly #settled = (): void => {
    this.#concurrent -= 1
    this.flush()
    this.#announceIdle()
  }

  #beginSlice(): void {
    this.#sliceEnd = performance.now() + sliceMs
    this.#turn = setImmediate(this.#endTurn)
  }

  readonly #endTurn = (): void => {
    this.#turn = undefined
    this.flush()
    const waiting = this.#whenTurned
    this.#whenTurned = []
    for (const resolve of waiting) resolve()
  }

  #isIdle(): boolean {
    return this.#tasks.size === 0 && this.#concurrent === 0 && !this.#running
  }

  #announceIdle(): void {
    if (this.#whenIdle.length === 0 || !this.#isIdle()) return
    const waiting = this.#whenIdle
    this.#whenIdle = []
    for (const resolve of waiting) resolve()
  }
}
