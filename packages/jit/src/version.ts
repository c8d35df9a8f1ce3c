/**
 * Whether operations can be compiled with this version of graphql. Only 16: version 17 has other rules for variables
 * and for errors, which what is compiled here does not know.
 */
export function canCompile(version: { readonly major: number }): boolean {
  return version.major === 16
}
