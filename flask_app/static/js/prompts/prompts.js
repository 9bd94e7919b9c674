// @ts-check
/** Entry of one's own prompts. */
import { PromptList } from "app/prompts/prompt-list.js"
import { pageState } from "app/ui.js"

new PromptList("/api/prompts").show(pageState("prompts-state"))
