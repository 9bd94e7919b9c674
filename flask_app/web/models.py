"""Models as JSON."""

from flask_app.services import model_service
from flask_app.web.bodies import Reply


class ModelReply(Reply):
    id: str
    name: str
    label: str
    provider: str
    thinking: bool
    demo: bool


class ModelsReply(Reply):
    """`keys_fail`: there are API keys, and none of them opens any model now."""

    models: list[ModelReply]
    default: str | None
    keys_fail: bool


def models_reply() -> ModelsReply:
    available = model_service.available()
    fields = ("id", "name", "label", "provider", "thinking", "demo")
    return ModelsReply(
        models=[ModelReply(**{name: getattr(model, name) for name in fields}) for model in available],
        default=available[0].name if available else None,
        keys_fail=model_service.keys_fail(available),
    )
