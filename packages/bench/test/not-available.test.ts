import { describe, expect, it } from 'vitest'
import { loadOptional, NotAvailable } from '../src/servers/not-available.ts'

const failing = (code: string) => () => Promise.reject(Object.assign(new Error('Cannot find it'), { code }))

describe('a package that need not be there', () => {
  it('is given if it is', async () => {
    expect(await loadOptional('statistics', () => import('../src/statistics.ts'))).toHaveProperty('median')
  })

  it('is not available if it cannot be found', async () => {
    const loading = loadOptional('@sluice/jit', failing('ERR_MODULE_NOT_FOUND'))
    await expect(loading).rejects.toThrow(NotAvailable)
    await expect(loading).rejects.toThrow('@sluice/jit is not there')
  })

  it('fails as it does if it is broken', async () => {
    await expect(loadOptional('@sluice/jit', failing('ERR_UNSUPPORTED_DIR_IMPORT'))).rejects.toThrow('Cannot find it')
  })
})
