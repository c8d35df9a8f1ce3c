import { describe, expect, it } from 'vitest'
import { checkLockFile, checkText } from '../check-repository.ts'

describe('the check of what is true of one machine only', () => {
  it('reports paths of a checkout', () => {
    const path = ['', 'home', 'someone', 'sluice'].join('/')
    expect(checkText('notes.md', `first\nsee ${path}/README.md`, '')).toEqual([
      `notes.md:2: a path of one machine: see ${path}/README.md`,
    ])
  })

  it('reports the address of a registry, and of the one in use', () => {
    const host = ['registry', 'npmjs', 'org'].join('.')
    expect(checkText('a', `https://${host}/x`, '')).toHaveLength(1)
    expect(checkText('a', 'http://mirror.example:4873/x', 'mirror.example:4873')).toHaveLength(1)
  })

  it('leaves routes, programs and relative paths alone', () => {
    expect(
      checkText('a', "fetch('/graphql/stream'); '/usr/bin/chromium'; './work/x'; 'https://a.example/work/x'", ''),
    ).toEqual([])
  })

  it('reports a lock file with addresses, and leaves links to workspaces alone', () => {
    const lock = {
      packages: {
        'node_modules/a': { resolved: 'https://r.example/a.tgz' },
        'node_modules/@sluice/core': { resolved: 'packages/core', link: true },
        'node_modules/b': { version: '1.0.0' },
      },
    }
    expect(checkLockFile('package-lock.json', JSON.stringify(lock))).toEqual([
      expect.stringContaining('node_modules/a has the address https://r.example/a.tgz'),
    ])
  })
})
