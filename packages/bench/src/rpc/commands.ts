/** What a process can be asked for: functions of one argument. Arguments and results travel as JSON. */
export type CommandsOf<TCommands> = { readonly [TName in keyof TCommands]: (argument: never) => unknown }

export interface Request {
  readonly id: number
  readonly name: string
  readonly argument: unknown
}

/** What comes back. A failure is the answer to no request: it ends the process's part in the run. */
export type Answer =
  | { readonly id: number; readonly result: unknown }
  | { readonly id: number; readonly error: string }
  | { readonly failure: string }
