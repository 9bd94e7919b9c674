// @ts-check
/** Entry of a shared conversation's page: its texts pass the one sanitizer, and nothing else of the chat is here. */
import { api, loaded } from "app/api.js"
import { showText } from "app/chat/growing-text.js"
import { showCopied } from "app/markdown/enrich.js"
import { nameOfZone } from "app/i18n.js"
import { inTurn } from "app/markdown/turns.js"
import { turnWrapping } from "app/markdown/wrapping.js"
import { copyText } from "app/shell.js"
import { must, tell } from "app/ui.js"

const page = must(document, "[data-shared]")

const zone = page.dataset.zone
if (zone) for (const words of page.querySelectorAll("[data-moment]")) words.textContent = (words.textContent ?? "").replace(zone, nameOfZone(zone))
for (const place of /** @type {NodeListOf<HTMLElement>} */ (page.querySelectorAll("[data-markdown]"))) inTurn(() => draw(place))
page.addEventListener("click", ({ target }) => {
  const button = /** @type {Element} */ (target).closest("button")
  if (button) press(button)
})
if (document.visibilityState === "visible") count()
else document.addEventListener("visibilitychange", count, { once: true })

/** @param {HTMLElement} place */
function draw(place) {
  const text = place.textContent ?? ""
  place.classList.remove("shared__raw")
  place.removeAttribute("dir") // each block has its own
  const answer = place.closest("article")
  showText(place, text, [...sourcesOf(answer?.previousElementSibling), ...sourcesOf(answer)])
}

/** What was found on the web for a question, or by the model of an answer. @param {Element | null | undefined} message @returns {import("app/markdown/citations.js").Source[]} */
function sourcesOf(message) {
  const links = /** @type {HTMLAnchorElement[]} */ ([...(message?.querySelectorAll("[data-source]") ?? [])])
  return links.map((link) => ({ number: Number(link.dataset.source), url: link.href, title: link.querySelector(".source__title")?.textContent ?? "", site: "", published: "" }))
}

/** @param {HTMLButtonElement} button */
async function press(button) {
  if ("wrapCode" in button.dataset) turnWrapping()
  if ("copyCode" in button.dataset) showCopied(button, await copyText(button.closest("figure")?.querySelector("code")?.textContent ?? ""))
  if ("show" in button.dataset) loaded(import("app/markdown/frames.js")).then(({ toggle }) => toggle(button), tell)
}

/** How often it is read is counted, once somebody sees it; where that fails nobody needs to know. */
function count() {
  api.post("/api/shared/opened", { token: location.pathname.split("/").at(-1) ?? "" }).catch(() => undefined)
}
