/** One timer for all who want to be called from time to time; none while there is nobody. */
export class Heartbeat {
  readonly #intervalMs: number
  readonly #beats = new Set<() => void>()
  #timer: NodeJS.Timeout | undefined

  constructor(intervalMs: number) {
    this.#intervalMs = intervalMs
  }

  /** Calls `beat` every interval until the returned function is called; it may be called again. */
  start(beat: () => void): () => void {
    this.#beats.add(beat)
    this.#timer ??= setInterval(() => {
      for (const each of this.#beats) each()
    }, this.#intervalMs)
    return () => {
      this.#beats.delete(beat)
      if (this.#beats.size > 0) return
      clearInterval(this.#timer)
      this.#timer = undefined
    }
  }
}
