import { spawn } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'

const here = fileURLToPath(new URL('.', import.meta.url))

/**
 * What the compiler may say of JavaScript: modules, exports, options, properties of options that do not exist, and arguments too many. What it
 * says of types that nobody wrote is not for its reader.
 */
const mistakesInJavaScript = /error TS(2304|2305|2307|2353|2551|2554|2561|2614|2724):/

/**
 * Compiles scripts, by the name of their file: TypeScript with every check, JavaScript as far as it can be told.
 * Resolves with the mistakes.
 */
export async function compileScripts(scripts: Readonly<Record<string, string>>): Promise<string[]> {
  // Within this folder, from where the packages are found.
  const folder = await mkdtemp(join(here, '.documentation-'))
  try {
    const compilerOptions = {
      allowJs: true,
      checkJs: true,
      noUnusedLocals: false,
      noPropertyAccessFromIndexSignature: true,
    }
    const tsconfig = { extends: '../../tsconfig.test.json', compilerOptions, include: ['./*'] }
    await writeFile(join(folder, 'tsconfig.json'), JSON.stringify(tsconfig))
    for (const [name, script] of Object.entries(scripts)) await writeFile(join(folder, name), script)
    const compiler = join(dirname(createRequire(import.meta.url).resolve('typescript/package.json')), 'bin/tsc')
    const child = spawn(process.execPath, [compiler, '-p', folder, '--pretty', 'false'])
    const [output, errors] = await Promise.all([text(child.stdout), text(child.stderr)])
    const lines = `${output}${errors}`.split('\n').filter((line) => line.includes('error TS'))
    return lines.filter((line) => !line.includes('.mjs(') || mistakesInJavaScript.test(line))
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}
