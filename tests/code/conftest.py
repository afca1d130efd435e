import pytest

from apps.code.sandbox import Sandbox, SandboxUnavailableError


@pytest.fixture(scope="session")
def sandbox() -> Sandbox:
    try:
        return Sandbox()
    except SandboxUnavailableError as error:
        pytest.skip(str(error))
