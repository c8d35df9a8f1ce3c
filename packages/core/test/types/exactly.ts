type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false

/** Compiles if the value's type is exactly `TExpected`: `any` fits nothing but `any`. */
export function exactly<TExpected>() {
  return <TValue>(_value: TValue, ..._same: Same<TValue, TExpected> extends true ? [] : [never]): void => {}
}
