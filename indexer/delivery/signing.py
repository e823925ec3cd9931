"""Signatures as Standard Webhooks has them (https://www.standardwebhooks.com), which receivers in many languages check.

A key is any text, whose bytes sign, or `whsec_` and the bytes in base64, as other services write their keys.
"""

from base64 import b64decode
from binascii import Error as NotBase64Error
from datetime import UTC, datetime
from typing import Final

from pydantic import SecretStr
from standardwebhooks import Webhook

from indexer.errors import UsageError

ID: Final = "webhook-id"
"""Names what is told: the same in every attempt."""
TIMESTAMP: Final = "webhook-timestamp"
SIGNATURE: Final = "webhook-signature"
_ENCODED: Final = "whsec_"


def key_bytes(key: SecretStr) -> bytes:
    """The bytes that a key signs with.

    Raises:
        UsageError: it is empty, or begins with `whsec_` and is no base64 after that.
    """
    text = key.get_secret_value()
    if not text.startswith(_ENCODED):
        signing = text.encode()
    else:
        encoded = text.removeprefix(_ENCODED).rstrip("=")
        try:
            signing = b64decode(encoded + "=" * (-len(encoded) % 4), validate=True)
        except (NotBase64Error, ValueError):
            raise UsageError("a key that begins with whsec_ is base64 after that: give it whole, or another") from None
    if not signing:
        raise UsageError("the key that signs callbacks is empty: use a long random one")
    return signing


def signed_headers(key: SecretStr, delivery: str, body: bytes, now: datetime) -> dict[str, str]:
    """The three headers that go with a body; `delivery` holds no full stop, `now` knows its zone.

    Raises:
        UsageError: as `key_bytes`.
    """
    moment = now.astimezone(UTC)
    return {
        ID: delivery,
        TIMESTAMP: str(int(moment.timestamp())),
        SIGNATURE: Webhook(key_bytes(key)).sign(delivery, moment, body.decode()),
    }
