import type { Answer, CommandsOf, Request } from './commands.ts'

/** Answers the commands of the parent process, as long as there is one. */
export function serve<TCommands extends CommandsOf<TCommands>>(commands: TCommands): void {
  process.on('message', (request) => void answer(request as Request, commands))
  process.once('disconnect', () => process.exit())
}

/** Tells the parent that this process cannot go on. */
export function tellFailure(error: unknown): void {
  send({ failure: messageOf(error) })
}

async function answer<TCommands extends CommandsOf<TCommands>>(
  { id, name, argument }: Request,
  commands: TCommands,
): Promise<void> {
  try {
    const command: unknown = Object.hasOwn(commands, name) ? Reflect.get(commands, name) : undefined
    if (typeof command !== 'function') throw new Error(`There is no command "${name}".`)
    const result: unknown = await Reflect.apply(command, commands, [argument])
    send({ id, result })
  } catch (error) {
    send({ id, error: messageOf(error) })
  }
}

function send(answer: Answer): void {
  process.send?.(answer)
}

function messageOf(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error)
}
