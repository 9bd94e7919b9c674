// @ts-check
/** Entry of one's own assistants. */
import { AssistantList } from "app/assistants/assistant-list.js"
import { pageState } from "app/ui.js"

const state = pageState("assistants-state")
new AssistantList("/api/assistants", state).show(state)
