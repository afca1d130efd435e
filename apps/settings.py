"""Every setting of Duet: environment variables with the prefix DUET_, or the same in a file `.env`."""

from __future__ import annotations

import difflib
import os
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

import structlog
from dotenv import dotenv_values
from pydantic import Field, ValidationError, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from core_model import catalog
from core_model.requests import Precision

PACKAGED_ADAPTERS = Path(__file__).resolve().parents[1] / "adapters"

PREFIX, ENV_FILE = "DUET_", ".env"

log = structlog.get_logger(__name__)


class SettingsError(Exception):
    """A setting has a value that cannot be used."""


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def unknown_settings() -> list[str]:
    """Variables of the environment, and lines of `.env`, that look like settings and are none."""
    found = {*os.environ, *dotenv_values(ENV_FILE)}
    return sorted(
        name for name in map(str.upper, found) if name.startswith(PREFIX) and name not in _known_names()
    )


def _known_names() -> frozenset[str]:
    return frozenset(PREFIX + name.upper() for name in Settings.model_fields)


class Settings(BaseSettings):
    """docs/settings.md explains each of them."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, env_file=ENV_FILE, env_ignore_empty=True, extra="ignore", protected_namespaces=()
    )

    home: Path = Field(default_factory=catalog.home)
    model: str = catalog.DEFAULT_MODEL
    model_paths: Annotated[tuple[Path, ...], NoDecode] = ()
    hub_url: str = catalog.HUB_URL
    weights: Literal["int4", "int8", "bf16", "fp32"] = "int4"
    threads: int = Field(default_factory=_cores, ge=1)
    kv_cache_tokens: int = Field(default=32_768, ge=2_048)
    kv_cache: Precision = "bf16"
    sparse_beyond: int = Field(default=0, ge=0)
    max_batch: int = Field(default=8, ge=1)
    support_window: int = Field(default=512, ge=32, le=2_048)
    adapters_dir: Path = PACKAGED_ADAPTERS
    database_url: str = Field(
        default_factory=lambda fields: f"sqlite:///{fields.get('home', catalog.home())}/duet.db"
    )
    policy: Path | None = None
    learning_asks: bool = False
    mem_opt: bool = False
    activation_checkpoint_interval: int = Field(default=1, ge=1)
    host: str = "127.0.0.1"
    port: int = Field(default=8000, ge=0, le=65_535)
    api_keys: Annotated[tuple[str, ...], NoDecode] = Field(default=(), repr=False)
    rate_limit: int = Field(default=600, ge=1)
    cors_origins: Annotated[tuple[str, ...], NoDecode] = ()
    log_format: Literal["text", "json"] = "text"
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    desk_wait_s: float = Field(default=3, ge=0, le=60)
    chatwoot_url: str | None = None
    chatwoot_token: str | None = Field(default=None, repr=False)
    chatwoot_reader_token: str | None = Field(default=None, repr=False)
    chatwoot_webhook_secret: str | None = Field(default=None, repr=False)
    zendesk_url: str | None = None
    zendesk_email: str | None = None
    zendesk_token: str | None = Field(default=None, repr=False)
    zendesk_webhook_secret: str | None = Field(default=None, repr=False)

    @field_validator("home", "adapters_dir", "policy")
    @classmethod
    def _expand(cls, path: Path | None) -> Path | None:
        return path.expanduser() if path is not None else None

    @field_validator("model_paths", mode="before")
    @classmethod
    def _split_paths(cls, value: Any) -> Any:
        return tuple(filter(None, value.split(os.pathsep))) if isinstance(value, str) else value

    @field_validator("api_keys", "cors_origins", mode="before")
    @classmethod
    def _split_list(cls, value: Any) -> Any:
        if not isinstance(value, str):
            return value
        return tuple(item.strip() for item in value.split(",") if item.strip())

    @field_validator("cors_origins")
    @classmethod
    def _are_origins(cls, origins: tuple[str, ...]) -> tuple[str, ...]:
        for origin in origins:
            parts = urlsplit(origin)
            if not parts.scheme or not parts.netloc or origin != f"{parts.scheme}://{parts.netloc}":
                raise ValueError(f"{origin!r} is no origin such as https://shop.example.com")
        return origins

    @property
    def sources(self) -> catalog.Sources:
        """Where base models are fetched from."""
        return catalog.Sources(self.model_paths, self.hub_url)


def load_settings(**given: Any) -> Settings:
    """The settings of this process, but for those given. Raises SettingsError naming the wrong ones.

    Names that mean nothing are only warned of: a version before or after this one may know them.
    """
    for name in unknown_settings():
        close = difflib.get_close_matches(name, _known_names(), 1, cutoff=0.8)
        log.warning("no such setting", name=name, meant=close[0] if close else "see docs/settings.md")
    try:
        return Settings(**given)
    except ValidationError as error:
        wrong = [
            f"DUET_{str(item['loc'][0]).upper()}: {item['msg']}"
            for item in error.errors()
            if item["type"] != "default_factory_not_called"  # it only follows from the others
        ]
        raise SettingsError("; ".join(wrong)) from error
