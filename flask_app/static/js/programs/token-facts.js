// @ts-check
/** A personal access token in words. */
import { formatAgo, formatDateTime, t } from "app/i18n.js"
import { accessWords } from "app/programs/token-access.js"

/**
 * @typedef {object} Token
 * @property {string} id
 * @property {string} name
 * @property {string} hint its last four characters
 * @property {"active" | "expired" | "revoked"} state
 * @property {string[] | null} models the only ones it may ask for; null is all
 * @property {string[]} origins of the websites whose pages may ask with it
 * @property {number | null} requests_per_minute at most; null is as many as its person may ask
 * @property {number | null} parallel_requests answers in the making at once, at most
 * @property {string[]} networks the only ones it may be used from; none is from everywhere
 * @property {"stop" | "continue"} on_disconnect what becomes of an answer whose program leaves
 * @property {string} created_at
 * @property {string | null} expires_at
 * @property {string | null} last_used_at
 * @property {string | null} words_until what is asked with it is kept until then; null where it is not
 */

/** When it was used, until when it is good, what for, how often, from where, on whose pages. @param {Token} token */
export function factsOf(token) {
  const { models, origins, words_until: words, expires_at: expires, last_used_at: used } = token
  const facts = [
    used ? t("js.tokens.used", { time: formatAgo(used) }) : t("js.tokens.unused"),
    expires ? t("js.tokens.until", { time: formatDateTime(expires) }) : t("js.tokens.for_ever"),
    models && t("js.tokens.only", { models: models.join(", ") }),
    ...accessWords(token),
    words && t("js.tokens.words_until", { time: formatDateTime(words) }),
    origins.length > 0 && t("js.tokens.on_pages_of", { origins: origins.join(", ") }),
  ]
  return facts.filter(Boolean).join(" · ")
}

/** What is asked before a token is revoked. @param {Token} token */
export const revokeWords = ({ name }) => ({ title: t("js.tokens.revoke_title"), text: t("js.tokens.revoke_text", { name }), action: t("js.tokens.revoke") })
