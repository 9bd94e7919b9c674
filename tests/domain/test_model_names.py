"""Which models are for search, by their names."""

import pytest

from flask_app.domain.model_names import is_for_search


@pytest.mark.parametrize(
    "name",
    [
        "bge-m3",
        "BAAI/bge-large-zh-v1.5",
        "text-embedding-3-small",
        "Qwen3-Embedding-8B",
        "nomic-embed-text",
        "jina-reranker-v2",
    ],
)
def test_what_makes_vectors_or_ranks_is_for_search(name: str) -> None:
    assert is_for_search(name)


@pytest.mark.parametrize("name", ["deepseek-flash", "deepseek-v4-pro", "gpt-5", "Qwen3-8B", "bge", "m3", ""])
def test_whatever_else_there_is_answers_chats(name: str) -> None:
    assert not is_for_search(name)
