// @ts-check
/** Entry of one's own prompts. */
import { PromptList } from "app/prompt-list"
import { pageState } from "app/ui"

new PromptList("/api/prompts").show(pageState("prompts-state"))
