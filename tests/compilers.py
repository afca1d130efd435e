"""Compilers that a machine may lack."""

from __future__ import annotations

import pytest

from apps.code.sandbox import Sandbox
from apps.code.toolchains import Toolchain, ToolchainMissingError, toolchain


def installed(language: str, sandbox: Sandbox) -> Toolchain:
    """The language's tools; skips the test without them."""
    try:
        return toolchain(language, sandbox)
    except ToolchainMissingError as error:
        pytest.skip(str(error))
