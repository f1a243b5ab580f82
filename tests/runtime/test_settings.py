from pathlib import Path

import pytest
from pydantic import SecretStr

from runtime.settings import SettingsError, load_settings

PRODUCTION = {
    "OLIVE_ENVIRONMENT": "production",
    "OLIVE_DATABASE_URL": "postgresql+psycopg://olive:xyzzy@db/olive",
    "OLIVE_TEMPORAL_ADDRESS": "temporal:7233",
    "OLIVE_SMTP_HOST": "mail.example.org",
    "OLIVE_SMTP_FROM": "Olive Branch <olive@example.org>",
    "OLIVE_PUBLIC_BASE_URL": "https://olive.example.org",
}


@pytest.fixture(autouse=True)
def empty_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("TEMPORAL_ADDRESS", "TEMPORAL_PROFILE", "TEMPORAL_CONFIG_FILE", *PRODUCTION):
        monkeypatch.delenv(name, raising=False)


def given(monkeypatch: pytest.MonkeyPatch, **variables: str) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)


def test_development_needs_no_variable_at_all() -> None:
    settings = load_settings()
    assert settings.is_development
    assert settings.embedded_temporal
    assert settings.public_base_url == "http://127.0.0.1:8000"


def test_the_default_database_is_a_file_in_the_data_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    given(monkeypatch, OLIVE_DATA_DIR=str(tmp_path))
    url = load_settings().database_url.get_secret_value()
    assert url == f"sqlite+aiosqlite:///{tmp_path}/olive.sqlite3"


def test_production_starts_when_everything_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    given(monkeypatch, **PRODUCTION)
    settings = load_settings()
    assert settings.smtp_from == "Olive Branch <olive@example.org>"
    assert not settings.embedded_temporal


@pytest.mark.parametrize("missing", [name for name in PRODUCTION if name != "OLIVE_ENVIRONMENT"])
def test_production_names_the_variable_that_is_missing(monkeypatch: pytest.MonkeyPatch, missing: str) -> None:
    given(monkeypatch, **{name: value for name, value in PRODUCTION.items() if name != missing})
    with pytest.raises(SettingsError, match=missing):
        load_settings()


def test_all_missing_variables_are_named_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    given(monkeypatch, OLIVE_ENVIRONMENT="production")
    with pytest.raises(SettingsError) as error:
        load_settings()
    assert len(str(error.value).splitlines()) == len(PRODUCTION) - 1


def test_temporals_own_variable_names_the_server_too(monkeypatch: pytest.MonkeyPatch) -> None:
    given(monkeypatch, **{name: value for name, value in PRODUCTION.items() if name != "OLIVE_TEMPORAL_ADDRESS"})
    given(monkeypatch, TEMPORAL_ADDRESS="cloud.example.org:7233")
    assert not load_settings().embedded_temporal


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("OLIVE_SMTP_PORT", "70000"),
        ("OLIVE_ENVIRONMENT", "staging"),
        ("OLIVE_PUBLIC_BASE_URL", "http://olive.example.org/app/"),
        ("OLIVE_SMTP_FROM", "a@example.org\r\nBcc: b@example.org"),
    ],
)
def test_a_wrong_value_is_named_and_not_repeated(monkeypatch: pytest.MonkeyPatch, variable: str, value: str) -> None:
    given(monkeypatch, **{variable: value})
    with pytest.raises(SettingsError, match=variable) as error:
        load_settings()
    assert value not in str(error.value)


def test_a_password_needs_a_user_and_an_encrypted_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    given(monkeypatch, **PRODUCTION, OLIVE_SMTP_PASSWORD="hunter2", OLIVE_SMTP_STARTTLS="false")
    with pytest.raises(SettingsError) as error:
        load_settings()
    assert "OLIVE_SMTP_USER" in str(error.value)
    assert "OLIVE_SMTP_STARTTLS" in str(error.value)
    assert "hunter2" not in str(error.value)


def test_links_in_e_mails_are_encrypted_outside_development(monkeypatch: pytest.MonkeyPatch) -> None:
    given(monkeypatch, **{**PRODUCTION, "OLIVE_PUBLIC_BASE_URL": "http://olive.example.org"})
    with pytest.raises(SettingsError, match="OLIVE_PUBLIC_BASE_URL"):
        load_settings()


def test_secrets_do_not_show_when_settings_are_printed(monkeypatch: pytest.MonkeyPatch) -> None:
    given(monkeypatch, **PRODUCTION, OLIVE_SMTP_USER="olive", OLIVE_SMTP_PASSWORD="hunter2")
    settings = load_settings()
    assert settings.smtp_password == SecretStr("hunter2")
    assert "hunter2" not in repr(settings)
    assert "xyzzy" not in repr(settings)
