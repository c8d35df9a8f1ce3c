/** Something that a server needs is not there, which is no failure of the run. */
export class NotAvailable extends Error {
  override readonly name = 'NotAvailable'
}

/** @throws NotAvailable if the package cannot be found, and what loading it throws otherwise */
export async function loadOptional<T>(name: string, load: () => Promise<T>): Promise<T> {
  try {
    return await load()
  } catch (error) {
    const code: unknown = error instanceof Error ? Reflect.get(error, 'code') : undefined
    if (code === 'ERR_MODULE_NOT_FOUND') throw new NotAvailable(`${name} is not there`, { cause: error })
    throw error
  }
}
