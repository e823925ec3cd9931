"""Which parameters say nothing of what is at an address, and which hosts are one: the tables of `address_key`.

A parameter or host stands here only where leaving it away is known to lead to the same page. Short links (t.co, bit.ly,
fb.watch, vm.tiktok.com) do not: where they lead, only fetching tells, and nothing is fetched.
"""

from collections.abc import Mapping
from typing import Final

TRACKING_PREFIXES: Final = (
    "utm_",
    "mtm_",
    "itm_",
    "pk_",
    "hsa_",
    "matomo_",
    "ns_mchannel",
    "ns_campaign",
    "ns_linkname",
)
TRACKING: Final = frozenset(
    (
        # advertisers' click ids
        *("fbclid", "gclid", "gclsrc", "dclid", "gbraid", "wbraid", "msclkid", "yclid", "ysclid", "twclid", "ttclid"),
        *("li_fat_id", "igshid", "igsh", "irclickid", "epik", "srsltid", "wickedid", "_openstat"),
        # newsletters and campaigns
        *("mc_cid", "mc_eid", "_hsenc", "_hsmi", "hsctatracking", "mkt_tok", "oly_enc_id", "oly_anon_id", "vero_id"),
        *("s_cid", "cmpid", "xtor", "wt_mc", "at_medium", "at_campaign", "ns_source", "ns_fee", "__s"),
        # analytics and who shared it
        *("_ga", "_gl", "ref_src", "ref_url", "si", "mibextid", "sfnsn", "__twitter_impression", "share_source"),
    )
)
"""Parameters without meaning on any host, in lower case."""
TRACKING_OF: Final[Mapping[str, frozenset[str]]] = {
    "x.com": frozenset({"s", "t", "ref", "cxt", "cn", "refsrc"}),
    "youtube.com": frozenset({"feature", "pp", "ab_channel", "app", "persist_app"}),
    "youtu.be": frozenset({"feature", "t", "pp"}),
    "facebook.com": frozenset(
        {"__tn__", "__cft__[0]", "__xts__[0]", "_rdr", "_rdc", "rdid", "share_url", "refsrc", "ref", "paipv", "eav"}
        | {"locale", "acontext", "notif_id", "notif_t"}
    ),
    "instagram.com": frozenset({"hl"}),
    "reddit.com": frozenset({"share_id", "rdt", "context", "sort", "share_app_id", "share_name"}),
    "tiktok.com": frozenset({"_r", "_t", "is_from_webapp", "sender_device", "is_copy_url", "web_id", "lang", "u_code"}),
    "t.me": frozenset({"single", "embed"}),
}
"""Parameters without meaning on one host, whose key is its name after `ALIASES`."""
ALIASES: Final[Mapping[str, str]] = {
    **dict.fromkeys(("twitter.com", "mobile.twitter.com", "m.twitter.com", "mobile.x.com", "www.twitter.com"), "x.com"),
    **dict.fromkeys(("vxtwitter.com", "fxtwitter.com", "fixupx.com", "fixvx.com"), "x.com"),
    **dict.fromkeys(("youtube-nocookie.com", "www.youtube-nocookie.com", "gaming.youtube.com"), "youtube.com"),
    **dict.fromkeys(("fb.com", "mbasic.facebook.com", "touch.facebook.com", "web.facebook.com"), "facebook.com"),
    **dict.fromkeys(
        ("old.reddit.com", "new.reddit.com", "np.reddit.com", "sh.reddit.com", "i.reddit.com"), "reddit.com"
    ),
    **dict.fromkeys(("instagr.am", "www.instagr.am"), "instagram.com"),
    **dict.fromkeys(("telegram.me", "telegram.dog"), "t.me"),
    "threads.net": "threads.com",
}
"""Hosts that are another one, with the same paths."""
SECOND_LEVEL: Final = frozenset(
    ("ac", "co", "com", "edu", "go", "gob", "gov", "gouv", "ltd", "mil", "ne", "net", "nom", "or", "org", "plc", "sch")
)
"""Names that countries register under: what stands before one of these is the site's own name."""
