// @ts-check
/** Addresses on this site. */

/** The path with one more query parameter, or another value for it. @param {string} path @param {string} name @param {string} value */
export function withParameter(path, name, value) {
  const url = new URL(path, location.origin)
  url.searchParams.set(name, value)
  return url.pathname + url.search
}
