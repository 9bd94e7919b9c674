"""What the name of a model tells of it: a guess, for no provider's list says what its models are for."""

_PARTS = ("embed", "bge-", "rerank")  # text-embedding-3-small, Qwen3-Embedding-8B, BAAI/bge-m3, jina-reranker-v2


def is_for_search(name: str) -> bool:
    """Does it make vectors, or rank what was found, as far as its name says? Such a one answers no chat."""
    folded = name.casefold()
    return any(part in folded for part in _PARTS)
