"""Keys of the programs that use the server."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import String
from sqlalchemy.orm import Mapped, mapped_column

from apps.support.shop.models.columns import Base, JsonList, ShortText, utc_now


class ApiKey(Base):
    """A key is a random number of 256 bits, so its plain hash cannot be guessed back."""

    __tablename__ = "api_keys"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[ShortText] = mapped_column(unique=True)
    sha256: Mapped[str] = mapped_column(String(64), unique=True)
    beginning: Mapped[str] = mapped_column(String(16))  # enough to tell keys apart
    scopes: Mapped[JsonList]
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    revoked_at: Mapped[datetime | None]
