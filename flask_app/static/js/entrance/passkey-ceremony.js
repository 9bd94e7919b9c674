// @ts-check
/** WebAuthn as JSON: the server's options for the browser's own dialogs, and what comes of them. */
import { ApiError } from "app/api.js"
import { t } from "app/i18n.js"

/** @typedef {{id: string, type: "public-key", transports: AuthenticatorTransport[]}} Held a passkey that is there already */
/** @typedef {Omit<PublicKeyCredentialRequestOptions, "challenge" | "allowCredentials"> & {challenge: string, allowCredentials: Held[]}} RequestOptions */
/**
 * @typedef {Omit<PublicKeyCredentialCreationOptions, "challenge" | "user" | "excludeCredentials">
 *   & {challenge: string, user: {id: string, name: string, displayName: string}, excludeCredentials: Held[]}} CreationOptions
 */

/** What the browser's refusals mean to a person. @type {Record<string, string>} */
const REFUSALS = {
  AbortError: "given_up",
  InvalidStateError: "held",
  NotAllowedError: "given_up",
}

/** Does this browser have passkeys at this address? */
export function hasPasskeys() {
  return isSecureContext && "PublicKeyCredential" in window
}

/** Does it offer them in the field of the name, as it does passwords? */
export async function fillsIn() {
  return (await PublicKeyCredential.isConditionalMediationAvailable?.()) ?? false
}

/** A new passkey. Throws ApiError where the person or the browser would not. @param {CreationOptions} options */
export async function makePasskey({ challenge, user, excludeCredentials: held, ...others }) {
  const asked = { ...others, challenge: bytesOf(challenge), user: { ...user, id: bytesOf(user.id) }, excludeCredentials: held.map(descriptor) }
  const { id, response } = await saying(navigator.credentials.create({ publicKey: asked }))
  const made = /** @type {AuthenticatorAttestationResponse} */ (response)
  const parts = { clientDataJSON: textOf(made.clientDataJSON), attestationObject: textOf(made.attestationObject) }
  return { id, response: { ...parts, transports: made.getTransports?.() ?? [] } }
}

/**
 * A passkey of the person's choice has signed. Throws ApiError where the person or the browser would not.
 * @param {RequestOptions} options @param {{mediation?: CredentialMediationRequirement, signal?: AbortSignal}} [how]
 */
export async function usePasskey({ challenge, allowCredentials: allowed, ...others }, how = {}) {
  const asked = { ...others, challenge: bytesOf(challenge), allowCredentials: allowed.map(descriptor) }
  const { id, response } = await saying(navigator.credentials.get({ publicKey: asked, ...how }))
  const { clientDataJSON, authenticatorData, signature, userHandle } = /** @type {AuthenticatorAssertionResponse} */ (response)
  const parts = { clientDataJSON: textOf(clientDataJSON), authenticatorData: textOf(authenticatorData), signature: textOf(signature) }
  return { id, response: { ...parts, userHandle: userHandle && textOf(userHandle) } }
}

/** @param {string} text in base64url @returns {Uint8Array<ArrayBuffer>} */
export function bytesOf(text) {
  return Uint8Array.from(atob(text.replaceAll("-", "+").replaceAll("_", "/")), (character) => character.charCodeAt(0))
}

/** @param {ArrayBuffer} bytes @returns {string} base64url without padding */
export function textOf(bytes) {
  const binary = Array.from(new Uint8Array(bytes), (byte) => String.fromCharCode(byte)).join("")
  return btoa(binary).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "")
}

/** @param {Held} held */
function descriptor(held) {
  return { ...held, id: bytesOf(held.id) }
}

/** @param {Promise<Credential | null>} asked @returns {Promise<PublicKeyCredential>} */
async function saying(asked) {
  try {
    return /** @type {PublicKeyCredential} */ (await asked)
  } catch (error) {
    const { name } = /** @type {DOMException} */ (error)
    const reason = REFUSALS[name] ?? "failed"
    throw new ApiError(0, { code: `passkey_${reason}`, message: t(`js.passkeys.${reason}`, { reason: name }) })
  }
}
