"""Fetch a file from an address to a temporary place."""

from __future__ import annotations

import ipaddress
import re
import socket
import time
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import unquote, urlsplit

from workbench.errors import FileTooLarge, Forbidden, ValidationError, WorkbenchError
from workbench.store.plain_text import PACKED, Workplace

_SECONDS = 60.0
_WHOLE_SECONDS = 1800.0
_REDIRECTS = 5
_CHUNK = 1 << 20
_ENDINGS = {
    "text/csv": ".csv",
    "text/tab-separated-values": ".tsv",
    "application/json": ".json",
    "application/x-ndjson": ".jsonl",
    "application/jsonl": ".jsonl",
    "application/vnd.apache.parquet": ".parquet",
    "application/vnd.apache.arrow.file": ".arrow",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": ".xlsx",
}
_SECRET = re.compile(r"^([^=]*(?:key|token|secret|signature|password|credential)[^=]*|sig|auth)=.+", re.IGNORECASE)
# Where objects lie, with the package that reaches them.
STORES = {"s3": "s3fs", "gs": "gcsfs", "gcs": "gcsfs", "az": "adlfs", "abfs": "adlfs", "abfss": "adlfs"}


def downloaded(url: str, work: Workplace, *, max_bytes: int | None = None, internal: bool = True) -> tuple[Path, str]:
    """Return the path of the fetched file and its name, or say why the address gave none.

    Without `internal` no hop of the way may lead into this machine or its network.
    """
    scheme, shown = urlsplit(url).scheme.lower(), without_secrets(url)
    if scheme in STORES and "::" not in url:
        return _from_store(url, scheme, work, max_bytes)
    if scheme not in ("http", "https"):
        known = ", ".join(f"{name}://" for name in STORES)
        raise ValidationError.field(
            "source", f"{shown} is not an http or https address, nor one of {known}. Import a file", shown
        )
    return _from_web(url, work, max_bytes, internal)


def without_secrets(url: str) -> str:
    """Return an address as it may be shown: without a password, and without the values of keys and signatures."""
    place = urlsplit(url)
    host = place.netloc.rpartition("@")[2]
    parts = [_SECRET.sub(r"\1=***", part) for part in place.query.split("&")]
    return place._replace(netloc=f"***@{host}" if host != place.netloc else host, query="&".join(parts)).geturl()


def _from_web(url: str, work: Workplace, max_bytes: int | None, internal: bool) -> tuple[Path, str]:
    import httpx

    shown, deadline = without_secrets(url), time.monotonic() + _WHOLE_SECONDS
    try:
        place = httpx.URL(url)
        with httpx.Client(timeout=_SECONDS, trust_env=internal) as client:
            for _ in range(_REDIRECTS + 1):
                with client.stream("GET", **_request(place, internal)) as answer:
                    if answer.has_redirect_location:
                        place = _next(place, answer.headers["location"])
                        continue
                    answer.raise_for_status()
                    name = _name(place.path, answer.headers)
                    target = work.new(_suffix(name))
                    _save(answer.iter_bytes(_CHUNK), target, shown, max_bytes, deadline)
                    return target, name
    except httpx.HTTPStatusError as error:
        # Its own words hold the whole address; a log would tell them.
        words = f"{shown} answered {error.response.status_code}. Check the address"
        raise ValidationError.field("source", words, shown) from None
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise _unfetched(url, error) from None
    raise ValidationError.field("source", f"{shown} leads on and on, more than {_REDIRECTS} times. Give the last address", shown)


def _unfetched(url: str, error: Exception) -> ValidationError:
    """Return what to say of an address that gave nothing; the words of a library may hold the whole of it."""
    shown = without_secrets(url)
    why = str(error).replace(url, shown) or type(error).__name__
    return ValidationError.field("source", f"{shown} cannot be fetched: {why}", shown)


def _next(place: Any, location: str) -> Any:
    found = place.join(location)
    if found.scheme not in ("http", "https") or (place.scheme == "https" and found.scheme == "http"):
        shown, there = without_secrets(str(place)), without_secrets(str(found))
        raise ValidationError.field("source", f"{shown} leads to {there}, which is not followed. Give that address", shown)
    return found


def _request(place: Any, internal: bool) -> dict[str, Any]:
    """Return what to ask for; a guarded request goes to the very address that was looked at."""
    if internal:
        return {"url": place}
    address = _outside(place.host, place.port or (443 if place.scheme == "https" else 80))
    host = place.netloc.decode("ascii").rpartition("@")[2]
    return {"url": place.copy_with(host=address), "headers": {"Host": host}, "extensions": {"sni_hostname": place.host}}


def _outside(host: str, port: int) -> str:
    """Return an address of a host, or refuse one that has any inside this machine or its network."""
    try:
        found = [str(entry[4][0]) for entry in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]
    except OSError as error:
        raise ValidationError.field("source", f"the host {host} cannot be found: {error}", host) from error
    if not found or any(inside(address) for address in found):
        raise Forbidden(
            f"{host} lies inside this machine or its network, and a served workspace fetches nothing from there. Upload the "
            "file, or let the operator set WORKBENCH_INTERNAL_URLS=1.",
            source=host,
        )
    return found[0]


def inside(address: str) -> bool:
    """Return True unless an IP address belongs to the public internet."""
    found = ipaddress.ip_address(address.partition("%")[0])
    mapped = getattr(found, "ipv4_mapped", None) or getattr(found, "sixtofour", None)
    return not found.is_global or found.is_multicast or (mapped is not None and not mapped.is_global)


def _from_store(url: str, scheme: str, work: Workplace, max_bytes: int | None) -> tuple[Path, str]:
    shown, name = without_secrets(url), PurePosixPath(unquote(urlsplit(url).path)).name or "download"
    target = work.new(_suffix(name))
    try:
        import fsspec

        with fsspec.open(url, "rb") as file:
            _save(iter(lambda: file.read(_CHUNK), b""), target, shown, max_bytes, time.monotonic() + _WHOLE_SECONDS)
    except ImportError as error:
        words = f"{shown} takes the package {STORES[scheme]}. Install it with: pip install 'workbench[objects]'"
        raise ValidationError.field("source", words, shown) from error
    except WorkbenchError:
        raise
    except Exception as error:
        # Each store fails with exceptions of its own library.
        raise _unfetched(url, error) from None
    return target, name


def _save(chunks: Any, target: Path, shown: str, max_bytes: int | None, deadline: float) -> None:
    count = 0
    with target.open("wb") as file:
        for chunk in chunks:
            count += len(chunk)
            if max_bytes is not None and count > max_bytes:
                raise FileTooLarge(
                    f"{shown} is larger than {max_bytes >> 20} MiB. Download it and import a part.", limit=max_bytes
                )
            if time.monotonic() > deadline:
                message = f"{shown} took longer than {_WHOLE_SECONDS / 60:g} minutes. Download it and import the file"
                raise ValidationError.field("source", message, shown)
            file.write(chunk)


def _suffix(name: str) -> str:
    endings = PurePosixPath(name).suffixes
    return "".join(endings[-2:] if endings and endings[-1].lower() in PACKED else endings[-1:])


def _name(path: str, headers: Any) -> str:
    name = PurePosixPath(unquote(path)).name or "download"
    given = re.search(r'filename="?([^";]+)"?', headers.get("content-disposition", ""))
    name = PurePosixPath(given[1]).name if given else name
    if not PurePosixPath(name).suffix:
        name += _ENDINGS.get(headers.get("content-type", "").split(";")[0].strip(), "")
    return name
