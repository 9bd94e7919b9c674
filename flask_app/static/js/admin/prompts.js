// @ts-check
/** Entry of the prompts for everybody or for a group. */
import { PromptList } from "app/prompts/prompt-list.js"
import { must, pageState } from "app/ui.js"

const state = pageState("admin-state")
const groups = /** @type {{id: string, name: string}[]} */ (state.groups)
must(document, "#field-group").append(...groups.map(({ id, name }) => new Option(name, id)))
new PromptList("/api/admin/prompts", { isShared: true }).show(state)
