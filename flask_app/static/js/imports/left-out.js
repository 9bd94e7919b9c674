// @ts-check
/** What of an export does not come in, by kind: the preview says so. */

/** `tools`: calls of tools; `pictures`: those that a model made, of which a line is left; `other`: instructions, and what nobody here knows. */
/** @typedef {{tools: number, pictures: number, other: number}} Left */

/** @returns {Left} */
export const noneLeft = () => ({ tools: 0, pictures: 0, other: 0 })

/** @param {Left[]} each @returns {Left} */
export function allLeft(each) {
  const sum = noneLeft()
  for (const left of each) for (const kind of /** @type {const} */ (["tools", "pictures", "other"])) sum[kind] += left[kind]
  return sum
}
