"""Models as programs list them: in OpenAI's shape, and in Anthropic's."""

from flask_app.domain.serving import ServedModel
from flask_app.web.bodies import Reply

NO_MOMENT = "1970-01-01T00:00:00Z"


class ListedModel(Reply):
    """A model in OpenAI's shape: `id` is its name, `owned_by` the provider's."""

    id: str
    object: str
    created: int
    owned_by: str


class ListedModels(Reply):
    object: str
    data: list[ListedModel]


def listed_model(model: ServedModel) -> ListedModel:
    """When it was made nobody tells: `created` is 0."""
    return ListedModel(id=model.name, object="model", created=0, owned_by=model.provider)


def listed_models(models: list[ServedModel]) -> ListedModels:
    return ListedModels(object="list", data=[listed_model(model) for model in models])


class DescribedModel(Reply):
    """A model in Anthropic's shape: `id` is its name, `display_name` what people read."""

    type: str
    id: str
    display_name: str
    created_at: str
    lifecycle: str
    max_input_tokens: int | None


class DescribedModels(Reply):
    """All on one page."""

    data: list[DescribedModel]
    has_more: bool
    first_id: str | None
    last_id: str | None


def described_model(model: ServedModel) -> DescribedModel:
    """When it was made nobody tells: `created_at` is the beginning of Unix's time, as Anthropic has it then."""
    return DescribedModel(
        type="model",
        id=model.name,
        display_name=model.label,
        created_at=NO_MOMENT,
        lifecycle="active",
        max_input_tokens=model.context_tokens,
    )


def described_models(models: list[ServedModel]) -> DescribedModels:
    names = [model.name for model in models]
    return DescribedModels(
        data=[described_model(model) for model in models],
        has_more=False,
        first_id=names[0] if names else None,
        last_id=names[-1] if names else None,
    )
