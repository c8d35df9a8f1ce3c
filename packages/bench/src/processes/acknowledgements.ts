import { createServer } from 'node:net'
import { listen } from '../servers/listen.ts'

/** Hears from the clients that a tick has arrived everywhere: one byte each, straight from process to process. */
export interface Acknowledgements {
  readonly port: number
  /** Resolves with the next one after the call. */
  next(): Promise<void>
}

export async function listenForAcknowledgements(): Promise<Acknowledgements> {
  let resolveNext = (): void => {}
  const server = createServer((socket) => {
    socket.on('data', () => resolveNext())
    socket.on('error', () => {})
  })
  return {
    port: await listen(server),
    next: () =>
      new Promise((resolve) => {
        resolveNext = resolve
      }),
  }
}
