"""What browsers are told to refuse on our pages."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Iterable, Mapping

_STYLE = re.compile(r"<style>(.*?)</style>", re.DOTALL)

EVERYWHERE: Mapping[str, str] = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
"""Headers of every answer, page or file."""


def page_headers(floor_plans: Iterable[str]) -> dict[str, str]:
    """Return the headers of a page that holds these drawings.

    Scripts come from this server's files alone. Style elements do too, except those of the drawings, which are named by
    their hashes; the drawings' style attributes (line widths) are let through: an attribute has no hash of its own.
    """
    hashes = {_hash_of(style) for plan in floor_plans for style in _STYLE.findall(plan)}
    rules = (
        "default-src 'self'",
        "script-src 'self'",
        " ".join(["style-src-elem 'self'", *sorted(hashes)]),
        "style-src-attr 'unsafe-inline'",
        "object-src 'none'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
    )
    return {**EVERYWHERE, "Content-Security-Policy": "; ".join(rules), "Cache-Control": "no-store"}


def _hash_of(style: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()}'"
