export { compiledExecute, type CompiledExecute } from './compiled-execute.ts'
export type { CompiledExecuteOptions } from './compiled-execute-options.ts'
