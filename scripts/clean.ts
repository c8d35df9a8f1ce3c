// Removes everything that is built, so that nothing whose source is gone is tested or published.
import { readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { root } from './repository.ts'

for (const workspace of ['packages', 'examples']) {
  for (const name of readdirSync(join(root, workspace))) {
    rmSync(join(root, workspace, name, 'dist'), { recursive: true, force: true })
  }
}
