"""What tests of services share."""

import pytest
from flask import Flask

from tests.support.keys import keep_provider


@pytest.fixture
def provider_id(app: Flask) -> str:
    return keep_provider("Example", "https://api.example.com", models=["m"])
