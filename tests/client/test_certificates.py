"""Certificates are read for addresses that show one, and once."""

from __future__ import annotations

import ssl

import pytest

from workbench.client.certificates import trusted


@pytest.mark.parametrize("url", ["https://team.example", "HTTPS://team.example/workbench"])
def test_an_encrypted_address_is_checked(url):
    found = trusted(url)
    assert isinstance(found, ssl.SSLContext)
    assert (found.verify_mode, found.check_hostname) == (ssl.CERT_REQUIRED, True)
    assert trusted(url) is found


def test_nothing_is_read_for_an_address_that_shows_no_certificate():
    assert trusted("http://127.0.0.1:5006") is False
