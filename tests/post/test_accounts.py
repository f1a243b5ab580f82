"""What the settings say about mail is what the post uses."""

from pathlib import Path

import pytest

from activities.accounts import MailFolder, SmtpAccount
from runtime.settings import load_settings


def test_without_a_mail_server_development_keeps_its_mails_in_its_folder(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv("OLIVE_SMTP_HOST", raising=False)
    monkeypatch.setenv("OLIVE_DATA_DIR", str(tmp_path))
    assert load_settings().mail == MailFolder(tmp_path / "mail", "Olive Branch <olive-branch@localhost>")


@pytest.mark.parametrize(("port", "tls"), [("587", False), ("465", True)])
def test_an_account_is_what_the_variables_say(monkeypatch: pytest.MonkeyPatch, port: str, *, tls: bool) -> None:
    for name, value in {
        "HOST": "mail.trust.example",
        "PORT": port,
        "USER": "olive",
        "PASSWORD": "hunter2",
        "FROM": "Olive <o@trust.example>",
    }.items():
        monkeypatch.setenv(f"OLIVE_SMTP_{name}", value)
    account = load_settings().mail
    expected = SmtpAccount(
        "mail.trust.example", int(port), "Olive <o@trust.example>", "olive", "hunter2", starttls=True, tls=tls
    )
    assert account == expected
    assert "hunter2" not in repr(account)
