// @ts-check
/** Why a provider does not take a key. */
import { t } from "app/i18n.js"

/** What an administrator can do about it, where we know; the server's sentence otherwise. @param {{code: string, message: string}} failure */
export function reasonOf({ code, message }) {
  const key = `js.admin.key_error.${code}`
  const words = t(key)
  return words === key ? message : words
}
