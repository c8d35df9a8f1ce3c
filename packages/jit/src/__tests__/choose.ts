import fc from 'fast-check'

/** Makes one choice after another; fast-check shrinks towards the first of each. */
export interface Choose {
  /** 0 to max. */
  int(max: number): number
  /** True so many times of a hundred. */
  chance(percent: number): boolean
  of<T>(choices: readonly T[]): T
}

export function chooseWith(generate: fc.GeneratorValue): Choose {
  const int = (max: number) => generate(fc.nat, { max })
  return {
    int,
    chance: (percent) => int(99) >= 100 - percent,
    of: <T>(choices: readonly T[]) => choices[int(choices.length - 1)] as T,
  }
}

/** Choices that depend on nothing but the seed and a text: the same whenever and in whatever order they are made. */
export function chooseBy(seed: number, text: string): Choose {
  let state = seed ^ 0x9e3779b9
  for (let i = 0; i < text.length; i++) state = Math.imul(state ^ text.charCodeAt(i), 0x01000193)
  const int = (max: number) => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) % (max + 1)
  }
  return {
    int,
    chance: (percent) => int(99) < percent,
    of: <T>(choices: readonly T[]) => choices[int(choices.length - 1)] as T,
  }
}
