/** Tells somebody who waits what is being done. */
export type Progress = (step: string) => void

/** One line that changes, on a terminal; elsewhere a line for each scenario, since logs keep everything. */
export function progressOn(stream: NodeJS.WriteStream): Progress & { clear(): void } {
  let lastScenario = ''
  const tell = (step: string): void => {
    if (stream.isTTY) {
      stream.write(`\r\u001B[K${step.slice(0, stream.columns - 1)}`)
      return
    }
    const scenario = step.split(':')[0] ?? step
    if (scenario !== lastScenario) stream.write(`${scenario}\n`)
    lastScenario = scenario
  }
  return Object.assign(tell, {
    clear: () => {
      if (stream.isTTY) stream.write('\r\u001B[K')
    },
  })
}
