"""Real clients, each in an environment of its own, made once."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.conformance.az import installed


@pytest.fixture(scope="session")
def az(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The Azure CLI's program."""
    return installed("CONFORMANCE_AZ", tmp_path_factory.mktemp("az") / "venv", ["azure-cli"], "az")
