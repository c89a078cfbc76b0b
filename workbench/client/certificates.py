"""The certificates this machine trusts, read once, and only for addresses that show one."""

from __future__ import annotations

import functools
import ssl

import httpx


def trusted(url: str) -> ssl.SSLContext | bool:
    """Return what a server at this address is checked against; False where nothing is encrypted."""
    return _certificates() if url.lower().startswith("https:") else False


@functools.cache
def _certificates() -> ssl.SSLContext:
    return httpx.create_ssl_context(trust_env=False)
