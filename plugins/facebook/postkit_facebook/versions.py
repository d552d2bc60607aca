"""The versions of the Graph API, and when each is gone.

An expired one is replaced silently by the oldest that lives, whose fields may differ.
"""

from __future__ import annotations

from datetime import date

from postkit.network import ApiVersion

_SOURCE = "developers.facebook.com/docs/graph-api/changelog/versions"
_CHECKED = date(2026, 11, 23)
_ENDS = {
    "v20.0": date(2026, 9, 24),
    "v21.0": date(2027, 1, 21),
    "v22.0": date(2027, 5, 20),
    "v23.0": date(2027, 10, 8),
    "v24.0": date(2028, 2, 18),
    "v25.0": date(2028, 7, 29),
    "v26.0": None,
}
VERSIONS = tuple(ApiVersion(name, ends, _SOURCE, _CHECKED) for name, ends in _ENDS.items())
