// @ts-check
/** Entry of what one's own programs asked, searched for by filters. */
import { showRequests } from "app/request-list"
import { pageState } from "app/ui"

showRequests(pageState("requests-state"), { path: "/api/requests", page: "/tokens/requests", records: "/dashboard" })
