/** How long a test waits for something that should take milliseconds. */
const limitMs = 15_000

/** Resolves as soon as it is so; asked once per turn of the event loop. Rejects, naming it, if it takes too long. */
export async function until(isSo: () => boolean | Promise<boolean>, what: string | (() => string)): Promise<void> {
  const limit = performance.now() + limitMs
  while (!(await isSo())) {
    if (performance.now() > limit)
      throw new Error(`waited ${limitMs} ms in vain until ${typeof what === 'string' ? what : what()}`)
    await new Promise((resolve) => setImmediate(resolve))
  }
}
