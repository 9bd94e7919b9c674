"""What people take along, so that it can be compared."""

import copy
from typing import Any


def without_ids(file: Any) -> Any:
    """The same with places for ids, and without what only the ledger knows."""
    file = copy.deepcopy(file)
    del file["exported_at"]
    names: dict[str | None, Any] = {None: None}
    for number, folder in enumerate(file["folders"]):
        names[folder["id"]] = folder["id"] = f"folder {number}"
    file["conversations"].sort(key=lambda each: each["title"])
    for each in file["conversations"]:
        each["id"], each["folder_id"] = "", names[each["folder_id"]]
        places = {said["id"]: place for place, said in enumerate(each["messages"])}
        for said in each["messages"]:
            said["parent_id"] = places.get(said["parent_id"])
            said["id"], said["usage"] = places[said["id"]], None
            for named in (*said["files"], *said["calls"]):
                named["id"] = ""
    return file
