// @ts-check
/** Messages form a tree; a page shows one branch of it. */

/**
 * The branch that leads to the newest message.
 * @template {{id: string, parent_id: string | null}} M
 * @param {M[]} messages the oldest first
 */
export function pathToNewest(messages) {
  const byId = new Map(messages.map((message) => [message.id, message]))
  /** @type {M[]} */
  const path = []
  for (let at = messages.at(-1); at && !path.includes(at); at = byId.get(at.parent_id ?? "")) path.unshift(at)
  return path
}
