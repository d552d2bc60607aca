"""The folder where postkit keeps everything that must survive."""

from __future__ import annotations

import os
import stat
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from .errors import InputError, PostkitError


@dataclass(frozen=True, slots=True)
class Home:
    """Where the settings, the store, the media and the secrets of one installation are.

    `store` names another store than the one in the home.
    """

    path: Path
    store: Path | None = None

    @classmethod
    def resolve(
        cls, path: str | Path | None = None, environ: Mapping[str, str] | None = None
    ) -> Home:
        """`path`, else `POSTKIT_HOME`, else the platform's data folder; `POSTKIT_STORE` for the
        store. Nothing is created. Raises `InputError`."""
        environ = os.environ if environ is None else environ
        chosen = path or environ.get("POSTKIT_HOME")
        if not chosen:
            import platformdirs

            chosen = platformdirs.user_data_path("postkit", appauthor=False)
        store = environ.get("POSTKIT_STORE")
        if store and "://" in store:
            # The rest of such an address may hold a password: it is not repeated.
            raise InputError(
                f"POSTKIT_STORE: a store at {store.split('://')[0]}:// cannot be used by this "
                "version; name a file."
            )
        return cls(
            _absolute(chosen, "POSTKIT_HOME"), _absolute(store, "POSTKIT_STORE") if store else None
        )

    @property
    def config_path(self) -> Path:
        return self.path / "postkit.toml"

    @property
    def store_path(self) -> Path:
        return self.store or self._own_store

    @property
    def has_other_store(self) -> bool:
        """Whether the store is not the home's own, so that others may share the home."""
        return self.store_path.resolve() != self._own_store.resolve()

    @property
    def _own_store(self) -> Path:
        return self.path / "postkit.db"

    @property
    def media_path(self) -> Path:
        return self.path / "media"

    @property
    def vault_path(self) -> Path:
        return self.path / "vault"

    @property
    def key_path(self) -> Path:
        return self.path / "key"

    def ensure(self) -> Home:
        """Create the folder, closed to other users (mode 0700). One that exists is left as it is.

        Raises `PostkitError`.
        """
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self.path.mkdir(mode=stat.S_IRWXU, exist_ok=True)
        except OSError as error:
            raise PostkitError(
                f"The home {self.path} cannot be created ({error.strerror}); "
                "name another folder in POSTKIT_HOME."
            ) from error
        return self


def _absolute(path: str | Path, variable: str) -> Path:
    try:
        return Path(path).expanduser().absolute()
    except RuntimeError as error:
        raise InputError(
            f"{variable}: the home folder in {str(path)!r} is not known; write the whole path."
        ) from error
