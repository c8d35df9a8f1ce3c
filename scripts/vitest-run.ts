import { existsSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { runCommand } from './run-command.ts'
import { temporaryFolder } from './temporary-folder.ts'

interface Report {
  readonly numPassedTests: number
  readonly numFailedTests: number
  readonly numPendingTests: number
  readonly numTodoTests: number
  readonly testResults: readonly { readonly status: string; readonly assertionResults: readonly unknown[] }[]
}

export interface VitestResult {
  readonly code: number
  /** For example `212 passed, 0 failed`; null if vitest ended without a report. */
  readonly summary: string | null
  readonly passedCount: number
}

/** Runs the vitest of `folder` there, showing what it prints, and counts from its JSON report. */
export async function vitestRun(
  folder: string,
  args: readonly string[],
  env: NodeJS.ProcessEnv = process.env,
): Promise<VitestResult> {
  const cli = join(dirname(createRequire(join(folder, 'package.json')).resolve('vitest/package.json')), 'vitest.mjs')
  const reportFile = join(temporaryFolder('report'), 'report.json')
  const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${reportFile}`]
  const { code } = await runCommand(process.execPath, [cli, 'run', ...args, ...reporters], { cwd: folder, env })
  if (!existsSync(reportFile)) return { code: code === 0 ? 1 : code, summary: null, passedCount: 0 }
  const report = JSON.parse(readFileSync(reportFile, 'utf8')) as Report
  // A file that broke before its first test has no test to count: it counts as one failure.
  const brokenFileCount = report.testResults.filter(
    ({ status, assertionResults }) => status === 'failed' && assertionResults.length === 0,
  ).length
  const skippedCount = report.numPendingTests + report.numTodoTests
  const summary =
    `${report.numPassedTests} passed, ${report.numFailedTests + brokenFileCount} failed` +
    (skippedCount === 0 ? '' : `, ${skippedCount} skipped`)
  return { code, summary, passedCount: report.numPassedTests }
}
