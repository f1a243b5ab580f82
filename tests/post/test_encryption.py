"""The way to the mail server is encrypted, and only to a server whose certificate somebody trusted has signed."""

import ssl
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import trustme

from activities.accounts import SmtpAccount
from activities.channels import channel_of
from activities.post import PostActivities
from tests.post.trust import NEWS, SENDER, URL, MailServer, Trust, email


@pytest.fixture
def authority() -> trustme.CA:
    """Who certifies the mail servers of a trust."""
    return trustme.CA()


@pytest.fixture
async def server(authority: trustme.CA) -> AsyncIterator[MailServer]:
    """A mail server that takes nothing in the clear, certified by the authority."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    started = MailServer(context)
    await started.start()
    yield started
    await started.stop()


def trusting(authority: trustme.CA, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """This machine trusts an authority, by the variable that an operator would set."""
    file = folder / "authority.pem"
    authority.cert_pem.write_to_path(file)
    monkeypatch.setenv("SSL_CERT_FILE", str(file))


def encrypting(trust: Trust) -> PostActivities:
    """The post with an account that has a password, as a trust's mail server asks for it."""
    account = SmtpAccount("127.0.0.1", trust.server.port, SENDER, user="olive", password="right", starttls=True)
    return PostActivities(trust.database, channel_of(account), URL)


async def test_a_mail_travels_encrypted_to_a_server_whose_authority_is_trusted(
    trust: Trust, authority: trustme.CA, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trusting(authority, tmp_path, monkeypatch)
    await trust.issue(NEWS)
    trust.post = encrypting(trust)
    await trust.deliver()
    assert trust.server.reached == [email("d1")]
    assert trust.server.logins == [(b"olive", b"right")]
    assert trust.server.encrypted == [True]


async def test_neither_a_mail_nor_the_password_goes_to_a_server_that_nobody_vouches_for(
    trust: Trust, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trusting(trustme.CA(), tmp_path, monkeypatch)
    await trust.issue(NEWS)
    trust.post = encrypting(trust)
    assert (await trust.waits()).type == "PostAway"
    assert (trust.server.logins, trust.server.took) == ([], [])
    assert len(await trust.left()) == 1
