"""Runs programs nobody has read: isolated, limited, and with an outcome that says what happened."""

from apps.code.sandbox.isolation import OUTPUT, SCRATCH, WORK, Isolation, best_isolation, why_unusable
from apps.code.sandbox.limits import MIB, Limits, Outcome, Run, SandboxError, SandboxUnavailableError
from apps.code.sandbox.sandbox import Sandbox

__all__ = [
    "MIB",
    "OUTPUT",
    "SCRATCH",
    "WORK",
    "Isolation",
    "Limits",
    "Outcome",
    "Run",
    "Sandbox",
    "SandboxError",
    "SandboxUnavailableError",
    "best_isolation",
    "why_unusable",
]
