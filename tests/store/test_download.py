"""Addresses on the web and in object stores: what is fetched, and what is refused."""

from __future__ import annotations

import gzip
import http.server
import threading
import traceback
from collections.abc import Iterator

import fsspec
import pytest

from workbench.errors import FileTooLarge, Forbidden, ValidationError
from workbench.store import download
from workbench.store.reader import read_source

PASSWORD, SIGNATURE = "hush", "wink"
ROWS = [{"a": 1, "b": "x"}]


class Handler(http.server.BaseHTTPRequestHandler):
    """Answer with rows, or lead elsewhere."""

    def do_GET(self):
        kind = self.path.partition("?")[0].strip("/").split("/")[0]
        port = self.server.server_address[1]
        places = {
            "relative": "/rows.csv",
            "round": "/round",
            "local": f"http://127.0.0.2:{port}/rows.csv",
            "file": "file:///etc/passwd",
            "away": f"ftp://me:{PASSWORD}@host/rows.csv?sig={SIGNATURE}",
        }
        self.send_response(302 if kind in places else 404 if kind == "none" else 200)
        if kind in places:
            self.send_header("Location", places[kind])
        self.send_header("X-Host", self.headers["Host"])
        self.end_headers()
        if kind not in places:
            plain = b"a,b\n1,x\n"
            self.wfile.write(gzip.compress(plain) if self.path.endswith(".gz") else plain)
        self.server.hosts.append(self.headers["Host"])

    def log_message(self, *args):
        pass


@pytest.fixture
def server() -> Iterator[http.server.ThreadingHTTPServer]:
    with http.server.ThreadingHTTPServer(("0.0.0.0", 0), Handler) as found:
        found.hosts = []
        threading.Thread(target=found.serve_forever, daemon=True).start()
        yield found
        found.shutdown()


def rows(source, **options):
    return read_source(source, kind="url", **options).read_all().to_pylist()


def test_redirects_are_followed_a_few_times(server):
    base = f"http://127.0.0.1:{server.server_address[1]}"

    assert ROWS == rows(f"{base}/relative") == rows(f"{base}/rows.csv.gz")
    with pytest.raises(ValidationError, match="more than 5 times"):
        rows(f"{base}/round")
    with pytest.raises(ValidationError, match="not followed"):
        rows(f"{base}/file")


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::1]", "2130706433", "0.0.0.0", "[::ffff:127.0.0.1]", "10.1.2.3"])
def test_a_served_workspace_fetches_nothing_from_inside(server, host):
    with pytest.raises(Forbidden, match="WORKBENCH_INTERNAL_URLS"):
        rows(f"http://{host}:{server.server_address[1]}/rows.csv", internal=False)
    assert [] == server.hosts


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("93.184.216.34", False),
        ("2606:4700::1111", False),
        ("169.254.169.254", True),
        ("192.168.0.9", True),
        ("fd00::1", True),
        ("fe80::1%eth0", True),
        ("100.64.0.1", True),
        ("224.0.0.1", True),
        ("::ffff:10.0.0.1", True),
        ("2002:7f00:1::", True),
    ],
)
def test_what_is_inside(address, expected):
    assert expected == download.inside(address)


def test_no_hop_leads_inside_and_names_are_looked_up_once(server, monkeypatch):
    """The first host counts as outside here, the second does not."""
    monkeypatch.setattr(download, "inside", lambda address: address == "127.0.0.2")
    port = server.server_address[1]

    assert ROWS == rows(f"http://localhost:{port}/relative", internal=False)
    assert {f"localhost:{port}"} == set(server.hosts)
    with pytest.raises(Forbidden, match=r"127\.0\.0\.2"):
        rows(f"http://localhost:{port}/local", internal=False)


def test_objects_are_fetched_from_their_store(monkeypatch):
    monkeypatch.setitem(download.STORES, "memory", "nothing")
    with fsspec.open("memory://bucket/rows.csv", "wb") as file:
        file.write(b"a,b\n1,x\n")

    assert ROWS == rows("memory://bucket/rows.csv")
    with pytest.raises(FileTooLarge):
        rows("memory://bucket/rows.csv", max_bytes=3)
    with pytest.raises(ValidationError, match="cannot be fetched"):
        rows("memory://bucket/none.csv")


@pytest.mark.parametrize("url", ["s3://bucket/a.csv", "gs://bucket/a.csv", "abfs://c/a.csv"])
def test_a_missing_package_is_named_with_its_extra(url, monkeypatch):
    def missing(*args, **options):
        raise ImportError

    monkeypatch.setattr(fsspec, "open", missing)
    with pytest.raises(ValidationError, match=r"pip install 'workbench\[objects\]'"):
        rows(url)


@pytest.mark.parametrize(
    "url", ["file:///etc/passwd", "ftp://host/a.csv", "simplecache::s3://b/a.csv", "s3::file:///etc/passwd", "memory://x"]
)
def test_other_addresses_are_refused(url):
    with pytest.raises(ValidationError, match="not an http or https address"):
        rows(url)


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("https://me:secret@example.org/x.csv", "https://***@example.org/x.csv"),
        ("https://example.org/x?format=csv&id=1#top", "https://example.org/x?format=csv&id=1#top"),
        (
            "https://b.example.org/x?X-Amz-Signature=ab=&X-Amz-Date=1&sig=c&api_key=d",
            "https://b.example.org/x?X-Amz-Signature=***&X-Amz-Date=1&sig=***&api_key=***",
        ),
        ("s3://bucket/x.parquet", "s3://bucket/x.parquet"),
    ],
)
def test_an_address_is_shown_without_its_secrets(url, shown):
    assert download.without_secrets(url) == shown


@pytest.mark.parametrize(
    ("path", "told"), [("none", "answered 404"), ("round", "more than 5 times"), ("away", "not followed"), ("rows.csv", "larger")]
)
def test_a_fault_tells_no_secret_of_the_address(server, path, told):
    base = f"http://me:{PASSWORD}@127.0.0.1:{server.server_address[1]}"
    with pytest.raises((ValidationError, FileTooLarge), match=told) as caught:
        rows(f"{base}/{path}?sig={SIGNATURE}", max_bytes=3)

    words = "".join(traceback.format_exception(caught.value)) + str(caught.value.context)
    assert "sig=***" in words and PASSWORD not in words and SIGNATURE not in words


def test_a_fault_of_a_store_tells_no_secret_of_the_address(monkeypatch):
    def fail(url, mode):
        raise OSError(f"no bucket {url}")

    monkeypatch.setattr(fsspec, "open", fail)
    with pytest.raises(ValidationError, match=r"no bucket s3://\*\*\*@bucket") as caught:
        rows(f"s3://me:{PASSWORD}@bucket/a.csv")
    assert PASSWORD not in "".join(traceback.format_exception(caught.value))
