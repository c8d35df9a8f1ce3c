/**
 * The promise, or the outcome of `onTimeout` if it has not settled after that many milliseconds. The timer is
 * gone when either has happened; a late settlement is ignored.
 */
export function withTimeLimit<T>(promise: PromiseLike<T>, limitMs: number, onTimeout: () => T): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    const timer = setTimeout(() => {
      try {
        resolve(onTimeout())
      } catch (error) {
        reject(error)
      }
    }, limitMs)
    promise.then(
      (value) => {
        clearTimeout(timer)
        resolve(value)
      },
      (error: unknown) => {
        clearTimeout(timer)
        reject(error)
      },
    )
  })
}
