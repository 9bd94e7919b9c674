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
    models: list[ModelReply]
    default: str | None


def models_reply() -> ModelsReply:
    available, default = model_service.available(), model_service.default()
    fields = ("id", "name", "label", "provider", "thinking", "demo")
    return ModelsReply(
        models=[ModelReply(**{name: getattr(model, name) for name in fields}) for model in available],
        default=default.name if default else None,
    )
