import { FifoQueue } from '../collections/fifo-queue.ts'

/** Something that has work for the scheduler, a piece at a time. */
export interface Task {
  /** Whose work it is: tenants take turns. */
  readonly tenantId: string
  /**
   * Does one piece of work. A promise means that it goes on asynchronously, and counts as a concurrent
   * execution until it settles; it never rejects. Whoever has more to do schedules itself again.
   */
  run(): PromiseLike<void> | undefined
}

/** The work of one tenant. */
interface TenantWork {
  readonly tenantId: string
  readonly tasks: FifoQueue<Task>
  concurrent: number
  /** Whether it stands in the row of those who may go on. */
  inRow: boolean
}

/** How long synchronous work may hold up the event loop, in milliseconds. */
const sliceMs = 10

/**
 * Bounds the work: so many asynchronous executions at a time, and synchronous work in slices, between which
 * timers and sockets get their turn.
 *
 * Tenants take turns, a piece of work each, and the tasks of a tenant among themselves. Where several tenants are
 * served, one of them has at most half of the concurrent executions: resolvers that hang hold up their own tenant.
 *
 * Work starts at once, within the call of {@link flush}, while the slice of this turn of the event loop lasts.
 */
export class Scheduler {
  readonly #maxConcurrent: number
  readonly #servesSeveralTenants: () => boolean
  readonly #work = new Map<string, TenantWork>()
  /** Tenants with tasks who may have more executions, in the order of their turns. */
  readonly #row = new FifoQueue<TenantWork>()
  #taskCount = 0
  #concurrent = 0
  #running = false
  /** Set while this turn's slice lasts; it fires at the end of the turn. */
  #turn: NodeJS.Immediate | undefined
  #sliceEnd = 0
  #whenTurned: (() => void)[] = []
  #whenIdle: (() => void)[] = []

  constructor(maxConcurrentExecutions: number, servesSeveralTenants: () => boolean) {
    this.#maxConcurrent = maxConcurrentExecutions
    this.#servesSeveralTenants = servesSeveralTenants
  }

  /** A task has work. A task is scheduled at most once at a time; that is the caller's business. */
  schedule(task: Task): void {
    const { tenantId } = task
    let work = this.#work.get(tenantId)
    if (work === undefined) {
      work = { tenantId, tasks: new FifoQueue(), concurrent: 0, inRow: false }
      this.#work.set(tenantId, work)
    }
    work.tasks.push(task)
    this.#taskCount += 1
    this.#queueUp(work)
  }

  /** Whether this turn's time is used up: what is left goes on in the next turn. */
  isSliceOver(): boolean {
    return performance.now() >= this.#sliceEnd
  }

  /** Works until nothing is left, or the slice is over, or too much goes on asynchronously. */
  flush(): void {
    if (this.#running || this.#row.size === 0) return
    if (this.#turn === undefined) this.#beginSlice()
    else if (this.isSliceOver()) return
    this.#running = true
    while (this.#row.size > 0 && this.#concurrent < this.#maxConcurrent) {
      const work = this.#row.shift() as TenantWork
      work.inRow = false
      if (work.concurrent >= this.#maxPerTenant()) continue // it queues up again when one of its own has settled
      this.#runOne(work)
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
    if (this.#taskCount === 0 || this.#turn === undefined || !this.isSliceOver()) return undefined
    return new Promise((resolve) => this.#whenTurned.push(resolve))
  }

  /** Resolves when there is neither work nor an execution under way. */
  idle(): Promise<void> {
    if (this.#isIdle()) return Promise.resolve()
    return new Promise((resolve) => this.#whenIdle.push(resolve))
  }

  #runOne(work: TenantWork): void {
    const task = work.tasks.shift() as Task
    this.#taskCount -= 1
    const going = task.run()
    if (going !== undefined) {
      this.#concurrent += 1
      work.concurrent += 1
      going.then(() => this.#settled(work))
    }
    this.#queueUp(work)
  }

  #settled(work: TenantWork): void {
    this.#concurrent -= 1
    work.concurrent -= 1
    this.#queueUp(work)
    this.flush()
    this.#announceIdle()
  }

  /** Gives the tenant its place in the row if it has tasks; a tenant without any work is forgotten. */
  #queueUp(work: TenantWork): void {
    if (work.tasks.size > 0) {
      if (work.inRow) return
      work.inRow = true
      this.#row.push(work)
    } else if (work.concurrent === 0) {
      this.#work.delete(work.tenantId)
    }
  }

  #maxPerTenant(): number {
    return this.#servesSeveralTenants() ? Math.ceil(this.#maxConcurrent / 2) : this.#maxConcurrent
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
    return this.#taskCount === 0 && this.#concurrent === 0 && !this.#running
  }

  #announceIdle(): void {
    if (this.#whenIdle.length === 0 || !this.#isIdle()) return
    const waiting = this.#whenIdle
    this.#whenIdle = []
    for (const resolve of waiting) resolve()
  }
}
