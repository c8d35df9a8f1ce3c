import type { Row } from './row.ts'

const header = [
  'scenario',
  'server',
  'CPU µs',
  'per',
  'ratio',
  'a second',
  'p50 ms',
  'p99 ms',
  'RSS MB',
  'heap MB',
  'target',
  'measured',
  '',
] as const

/** Numbers stand at the right of their column. */
const rightAligned: ReadonlySet<number> = new Set([2, 4, 5, 6, 7, 8, 9, 11])

/** From here on it is the clients that bound the throughput. */
const BUSY_SHARE = 0.9

/** All rows, and a line more for each further goal of one. */
export function formatTable(rows: readonly Row[]): string {
  const lines: (readonly string[])[] = []
  let scenario = ''
  for (const row of rows) {
    const name = `${row.scenario} ${row.title}`
    const [first, ...others] = row.goals.map(({ goal, measured, isReached }) => [goal, measured, isReached ? '✓' : '✗'])
    if (name !== scenario && scenario !== '') lines.push([])
    lines.push([name === scenario ? '' : name, row.server, ...figures(row), ...(first ?? ['', '', ''])])
    for (const other of others) lines.push([...Array.from({ length: 10 }, () => ''), ...other])
    scenario = name
  }
  const widths = header.map((_title, column) =>
    Math.max(...[header, ...lines].map((line) => (line[column] ?? '').length)),
  )
  const format = (line: readonly string[]): string =>
    widths
      .map((width, column) => {
        const cell = line[column] ?? ''
        return rightAligned.has(column) ? cell.padStart(width) : cell.padEnd(width)
      })
      .join('  ')
      .trimEnd()
  const rule = widths.map((width) => '─'.repeat(width)).join('──')
  const notes = rows.some(areClientsBusy)
    ? ['', '* The clients were busy all the time: the server could do more than this.']
    : []
  return [format(header), rule, ...lines.map(format), ...notes].join('\n')
}

function figures(row: Row): string[] {
  if (row.notAvailable !== null) return [`not available: ${row.notAvailable}`, '', '', '', '', '', '', '']
  const { cpuMicros, ratio, perSecond, latencyMs, rssBytes, heapBytes } = row
  return [
    cpuMicros === null ? '' : significant(cpuMicros),
    row.operation,
    ratio === null ? '' : `${ratio.value.toFixed(2)} ×`,
    perSecond === null ? '' : `${Math.round(perSecond).toLocaleString('en')}${areClientsBusy(row) ? '*' : ''}`,
    latencyMs === null ? '' : latencyMs.p50.toFixed(2),
    latencyMs === null ? '' : latencyMs.p99.toFixed(2),
    megabytes(rssBytes),
    megabytes(heapBytes),
  ]
}

function areClientsBusy({ clientBusyShare }: Row): boolean {
  return clientBusyShare !== null && clientBusyShare > BUSY_SHARE
}

function significant(value: number): string {
  if (value >= 100) return value.toFixed(0)
  return value >= 1 ? value.toFixed(2) : value.toFixed(4)
}

function megabytes(bytes: number | null): string {
  return bytes === null ? '' : (bytes / 1_048_576).toFixed(0)
}
