// @ts-check
/** Entry of the assistants for everybody or for a group. */
import { AssistantList } from "app/assistants/assistant-list.js"
import { must, pageState } from "app/ui.js"

const state = pageState("admin-state")
const groups = /** @type {{id: string, name: string}[]} */ (state.groups)
must(document, "#field-group").append(...groups.map(({ id, name }) => new Option(name, id)))
new AssistantList("/api/admin/assistants", state, { isShared: true }).show(state)
