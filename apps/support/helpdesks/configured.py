"""The desks that the settings name."""

from __future__ import annotations

import httpx

from apps.settings import Settings, SettingsError
from apps.support.helpdesks.chatwoot import Chatwoot
from apps.support.helpdesks.desks import Desk
from apps.support.helpdesks.zendesk import Zendesk
from apps.support.shop.models import DeskName


def configured_desks(settings: Settings) -> dict[DeskName, Desk]:
    """Raises SettingsError where some of a desk's settings are there and others are missing."""
    desks: dict[DeskName, Desk] = {}
    chatwoot = _together(settings, "chatwoot_url", "chatwoot_token", "chatwoot_webhook_secret")
    if chatwoot:
        url, token, secret = chatwoot
        desks[DeskName.CHATWOOT] = Chatwoot(url, token, secret, settings.chatwoot_reader_token)
    zendesk = _together(settings, "zendesk_url", "zendesk_email", "zendesk_token", "zendesk_webhook_secret")
    if zendesk:
        url, email, token, secret = zendesk
        desks[DeskName.ZENDESK] = Zendesk(url, email, token, secret)
    return desks


def _together(settings: Settings, *names: str) -> list[str]:
    values = [getattr(settings, name) for name in names]
    missing = [f"DUET_{name.upper()}" for name, value in zip(names, values, strict=True) if not value]
    if len(missing) == len(names):
        return []
    if missing:
        raise SettingsError(f"{', '.join(missing)}: needed too, because others of this desk are set")
    if not values[0].startswith(("http://", "https://")):
        raise SettingsError(f"DUET_{names[0].upper()}: must begin with https:// or http://")
    try:
        httpx.URL(values[0])
    except httpx.InvalidURL as error:
        raise SettingsError(f"DUET_{names[0].upper()}: {error}") from error
    return values
