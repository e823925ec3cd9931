"""Made-up sightings for the demo: platforms, accounts, dates and captions that exist nowhere, and say so."""

from datetime import UTC, datetime, timedelta

from indexer.sightings import NewSighting

MADE_UP = "[made up for the demo]"
"""Every caption and claim of the demo starts with it."""

_START = datetime(2026, 3, 2, 6, 30, tzinfo=UTC)
_PLATFORMS = ("example-social", "example-video", "example-forum", "example-chat")
_ACCOUNTS = ("made-up-news", "made-up-truth", "made-up-eagle", "made-up-oma", "made-up-bot-17", "made-up-bot-18")
_CAPTIONS = (
    ("en", "Look at this before they delete it"),
    ("de", "Warum berichtet niemand darüber?"),
    ("fr", "Partagez avant que ce soit supprimé"),
    ("es", "Nadie habla de esto"),
    ("en", "My cousin was there and took it"),
)


def made_up_sighting(serial: int, wave: int, claim: str) -> NewSighting:
    """The sighting number `serial` of the collection. Those of one `wave` share two platforms and a few accounts and
    lie days apart from the next wave, as a campaign's do."""
    platform = _PLATFORMS[(wave + serial % 2) % len(_PLATFORMS)]
    account = _ACCOUNTS[(wave + serial % 3) % len(_ACCOUNTS)]
    language, caption = _CAPTIONS[(wave + serial) % len(_CAPTIONS)]
    posted = _START + timedelta(days=4 * wave, hours=5 * (serial % 7), minutes=7 * (serial % 8))
    return NewSighting(
        url=f"https://{platform}.example.org/made-up/{serial:04d}",
        archive_url=f"https://archive.example.org/made-up/{serial:04d}",
        platform=platform,
        account=account,
        posted_at=posted,
        caption=f"{MADE_UP} {caption}",
        language=language,
        claim=f"{MADE_UP} {claim}",
    )
