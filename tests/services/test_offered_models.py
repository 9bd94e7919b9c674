"""A model that is asked for by its name, and who may be asked for its answer."""

import dataclasses

import pytest
from flask import Flask

from flask_app.errors import Invalid
from flask_app.services.audit.audit_service import Actor
from flask_app.services.completion import failover
from flask_app.services.embedding import embedding_setting
from flask_app.services.providers import model_service
from tests.support.keys import keep_key, keep_provider
from tests.support.scripted_upstream import ScriptedUpstream
from tests.support.storage import counted_statements


def test_a_name_is_found_with_who_may_answer_in_one_statement(app: Flask, upstream: ScriptedUpstream) -> None:
    """However its case: but of two that differ in it alone the one is found that was asked for."""
    first, second = model_service.available()
    other = keep_provider("Other", "https://api.example.com/v1", models=[first.name], priority=1)
    keep_key(keep_provider("Loud", "https://api.example.com/v1", models=[first.name.upper()], priority=-1), "loud")
    with counted_statements() as statements:
        found, offered = model_service.find_offered(first.name)
        keys = failover.candidates_for(found, offered)
    assert (found, len(statements)) == (first, 1)
    assert [each.key.secret for each in keys] == ["secret of loud", "test-key"], "those without a key are none"
    assert [each.model.name for each in keys] == [first.name.upper(), first.name]
    keep_key(other, "other")
    assert model_service.find_offered(first.name)[0] == first, "the provider's place decides"
    assert model_service.find_offered(second.name)[0] == second
    assert model_service.find_offered(first.id) == (first, None), "no model has it for its name"
    with pytest.raises(Invalid, match="unknown_model"):
        model_service.find_offered("gpt-2")


def test_what_makes_vectors_is_found_for_who_asks_for_it(app: Flask, upstream: ScriptedUpstream) -> None:
    first, second = model_service.available()
    embedding_setting.choose(Actor(None), first.id)
    chosen = dataclasses.replace(first, makes_vectors=True)
    for name in (first.id, first.name):
        assert model_service.find(name).id == second.id
        assert model_service.find_offered(name)[0].id == second.id
        found = model_service.find(name, with_vectors=True)
        assert found == model_service.find_offered(name, with_vectors=True)[0] == chosen
