import { describe, expect, it } from 'vitest'
import { help, readOptions, UsageError } from '../src/cli/read-options.ts'
import { fullPlan, quickPlan } from '../src/plan.ts'

const read = (...args: string[]) => readOptions(args, ['P1', 'P4', 'P10'])

describe('the options of the command line', () => {
  it('run all of the bar, in full, if there are none', () => {
    expect(read()).toEqual({
      only: [],
      isLadder: false,
      plan: fullPlan,
      jsonFile: 'bench-results.json',
      profileFolder: null,
      isBuilding: true,
      isHelp: false,
    })
  })

  it('change the plan', () => {
    expect(read('--quick').plan).toEqual(quickPlan)
    expect(read('--quick', '--rounds', '3').plan).toEqual({ ...quickPlan, roundCount: 3 })
    expect(read('--sockets=50').plan).toEqual({ ...fullPlan, socketCount: 50 })
  })

  it('choose scenarios, however they are written', () => {
    expect(read('--only', 'P1,P10').only).toEqual(['P1', 'P10'])
    expect(read('--only', 'p4, P1,p4').only).toEqual(['P4', 'P1'])
  })

  it('say where things go', () => {
    const { jsonFile, profileFolder } = read('--json', 'a.json', '--profile', 'profiles')
    expect({ jsonFile, profileFolder }).toEqual({ jsonFile: 'a.json', profileFolder: 'profiles' })
  })

  it('ask for the ladder, for no build, and for help', () => {
    expect(read('--ladder').isLadder).toBe(true)
    expect(read('--no-build').isBuilding).toBe(false)
    expect([read('--help').isHelp, read('-h').isHelp]).toEqual([true, true])
  })

  it.each([
    [['--only', 'P2'], '--only takes some of P1, P4, P10, not "P2".'],
    [['--only', ''], '--only takes some of P1, P4, P10, not "".'],
    [['--rounds', '0'], '--rounds takes a number from 1 to 1000, not "0".'],
    [['--rounds', '-1'], /--rounds/],
    [['--rounds', '1.5'], '--rounds takes a number from 1 to 1000, not "1.5".'],
    [['--rounds', 'many'], '--rounds takes a number from 1 to 1000, not "many".'],
    [['--sockets', '20001'], '--sockets takes a number from 1 to 20000, not "20001".'],
    [['--json', ''], '--json takes the path of a file, not an empty one.'],
    [['--profile', ''], '--profile takes the path of a folder, not an empty one.'],
    [['--ladder', '--only', 'P1'], '--ladder and --only cannot be used together.'],
    [['--fast'], /--fast/],
    [['P1'], /P1/],
  ])('refuse %j and say what to write instead', (args, message) => {
    expect(() => read(...args)).toThrow(UsageError)
    expect(() => read(...args)).toThrow(message)
  })

  it('are all in the help', () => {
    for (const option of ['quick', 'ladder', 'only', 'rounds', 'sockets', 'json', 'profile', 'no-build', 'help']) {
      expect(help).toContain(`--${option}`)
    }
  })
})
