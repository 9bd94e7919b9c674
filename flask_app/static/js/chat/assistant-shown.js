// @ts-check
/** The assistant of the conversation on the page, in the head of the page: as it was when that began or was asked for again. `data-begin` leads to a new one with it. */
import { fill, must, reactTo } from "app/ui.js"

/**
 * @param {HTMLElement} root @param {import("app/chat/composer.js").Composer} composer
 * @param {import("app/chat/conversation.js").Conversation} conversation
 */
export function showAssistants(root, composer, conversation) {
  const place = must(root, "[data-assistant]")
  const show = (/** @type {{id: string, name: string, icon: string} | null} */ assistant) => {
    place.hidden = !assistant
    if (assistant) place.dataset.begin = `/?assistant=${assistant.id}`
    else delete place.dataset.begin
    fill(place, { icon: assistant?.icon ?? "", name: assistant?.name ?? "" })
  }
  composer.addEventListener("leaving", () => show(null))
  reactTo(conversation, {
    opened: ({ assistant }) => show(assistant),
    started: ({ isNew, here }) => isNew && here && show(composer.assistant),
  })
}
