import type { ChildProcess } from 'node:child_process'
import type { Answer, CommandsOf, Request } from './commands.ts'

/** How much of what a child printed is shown when it breaks. */
const MAX_OUTPUT_LENGTH = 4000

interface Pending {
  resolve(result: unknown): void
  reject(error: Error): void
}

/** A child process that answers commands. When it breaks, everything that waits for it hears why. */
export class Remote<TCommands extends CommandsOf<TCommands>> {
  /** Rejects when the child ends, or tells of a failure, before {@link stop}. */
  readonly failed: Promise<never>
  readonly #child: ChildProcess
  readonly #name: string
  readonly #pending = new Map<number, Pending>()
  readonly #exited: Promise<void>
  #fail: (error: Error) => void = () => {}
  #lastId = 0
  #output = ''
  #stopping = false

  /** @param name for messages */
  constructor(child: ChildProcess, name: string) {
    this.#child = child
    this.#name = name
    this.failed = new Promise((_resolve, reject) => {
      this.#fail = reject
    })
    this.failed.catch(() => {}) // whoever has a call under way hears of it as well
    for (const stream of [child.stdout, child.stderr]) {
      stream?.setEncoding('utf8').on('data', (text: string) => {
        this.#output = `${this.#output}${text}`.slice(-MAX_OUTPUT_LENGTH)
      })
    }
    child.on('message', (answer) => this.#receive(answer as Answer))
    this.#exited = new Promise((resolve) => {
      child.once('error', (error) => this.#broke(`could not be started: ${error.message}`))
      child.once('close', (code, signal) => {
        resolve()
        this.#broke(`ended by itself (${signal ?? `exit code ${code}`})`)
      })
    })
  }

  /** @throws what the command throws, and Error if there is no answer within the time */
  async call<TName extends keyof TCommands & string>(
    name: TName,
    argument: Parameters<TCommands[TName]>[0],
    timeoutMs = 60_000,
  ): Promise<Awaited<ReturnType<TCommands[TName]>>> {
    this.#lastId += 1
    const id = this.#lastId
    let timer: NodeJS.Timeout | undefined
    const answer = new Promise<unknown>((resolve, reject) => {
      this.#pending.set(id, { resolve, reject })
      timer = setTimeout(
        () => reject(new Error(`${this.#name} gave no answer to "${name}" within ${timeoutMs} ms.`)),
        timeoutMs,
      )
      this.#child.send({ id, name, argument } satisfies Request, (error) => {
        if (error !== null) reject(new Error(`${this.#name} cannot be reached: ${error.message}`))
      })
    })
    try {
      return (await Promise.race([answer, this.failed])) as Awaited<ReturnType<TCommands[TName]>>
    } finally {
      clearTimeout(timer)
      this.#pending.delete(id)
    }
  }

  /** Resolves when the process is gone. */
  async stop(): Promise<void> {
    this.#stopping = true
    this.#fail(new Error(`${this.#name} was stopped.`)) // nobody need wait for an answer any more
    this.#child.kill('SIGKILL')
    await this.#exited
  }

  #receive(answer: Answer): void {
    if ('failure' in answer) return this.#broke(answer.failure)
    const pending = this.#pending.get(answer.id)
    if ('error' in answer) pending?.reject(new Error(`${this.#name}: ${answer.error}`))
    else pending?.resolve(answer.result)
  }

  #broke(how: string): void {
    if (this.#stopping) return
    const output = this.#output.trim()
    this.#fail(new Error(`${this.#name}: ${how}${output === '' ? '' : `\n${output}`}`))
  }
}
