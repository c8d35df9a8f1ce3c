/**
 * The messages of rejections that nobody handled while `run` was under way. Rejections are found to be unhandled when the
 * event loop turns, so it is let turn afterwards.
 */
export async function unhandledRejections(run: () => Promise<void>): Promise<string[]> {
  const messages: string[] = []
  const others = process.listeners('unhandledRejection')
  const note = (error: unknown) => void messages.push(error instanceof Error ? error.message : String(error))
  process.removeAllListeners('unhandledRejection')
  process.on('unhandledRejection', note)
  try {
    await run()
    await new Promise((resolve) => setImmediate(resolve))
  } finally {
    process.off('unhandledRejection', note)
    for (const other of others) process.on('unhandledRejection', other)
  }
  return messages
}
