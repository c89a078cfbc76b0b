"""Fetch a file from an address to a temporary place."""

from __future__ import annotations

import re
from pathlib import Path, PurePosixPath
from urllib.parse import unquote, urlsplit

from workbench.errors import FileTooLarge, ValidationError
from workbench.store.plain_text import Workplace

_SECONDS = 60.0
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


def downloaded(url: str, work: Workplace, *, max_bytes: int | None = None) -> tuple[Path, str]:
    """Return the path of the fetched file and its name, or say why the address gave none."""
    import httpx

    if urlsplit(url).scheme not in ("http", "https"):
        raise ValidationError.field("source", f"{url} is not an http or https address. Download the file and import it", url)
    try:
        with httpx.stream("GET", url, follow_redirects=True, timeout=_SECONDS) as answer:
            answer.raise_for_status()
            name = _name(answer.url.path, answer.headers)
            target = work.new("".join(PurePosixPath(name).suffixes[-2:]))
            _save(answer, target, url, max_bytes)
    except httpx.HTTPStatusError as error:
        raise ValidationError.field("source", f"{url} answered {error.response.status_code}. Check the address", url) from error
    except httpx.HTTPError as error:
        raise ValidationError.field("source", f"{url} cannot be fetched: {error or type(error).__name__}", url) from error
    return target, name


def _save(answer: object, target: Path, url: str, max_bytes: int | None) -> None:
    count = 0
    with target.open("wb") as file:
        for chunk in answer.iter_bytes(_CHUNK):  # type: ignore[attr-defined]
            count += len(chunk)
            if max_bytes is not None and count > max_bytes:
                raise FileTooLarge(f"{url} is larger than {max_bytes >> 20} MiB. Download it and import a part.", limit=max_bytes)
            file.write(chunk)


def _name(path: str, headers: object) -> str:
    name = PurePosixPath(unquote(path)).name or "download"
    given = re.search(r'filename="?([^";]+)"?', headers.get("content-disposition", ""))  # type: ignore[attr-defined]
    name = PurePosixPath(given[1]).name if given else name
    if not PurePosixPath(name).suffix:
        name += _ENDINGS.get(headers.get("content-type", "").split(";")[0].strip(), "")  # type: ignore[attr-defined]
    return name
