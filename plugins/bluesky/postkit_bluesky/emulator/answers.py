"""Who lives here, and refusals in the shape of XRPC.

Bodies are those of PDS 0.5.35, measured on 2026-11-23 (``tests/pds/facts.md``).
"""

from __future__ import annotations

from typing import Any

from starlette.responses import JSONResponse

from postkit.emulator.base import Refusal

COLLECTION = "app.bsky.feed.post"
DID = "did:plc:emulated2222222222222222"
HANDLE = "emulated.test"
NAME = "Emulated Account"
NEIGHBOURS = {
    "friend.test": "did:plc:friend222222222222222222",
    "bsky.app": "did:plc:z72i7hdynmk6r22z27h6tvur",
}
"""Others who can be mentioned."""


def problem(status: int, error: str, message: str, **headers: str) -> Refusal:
    return Refusal(JSONResponse({"error": error, "message": message}, status, headers))


def invalid(message: str) -> Refusal:
    return problem(400, "InvalidRequest", message)


def missing(key: str, path: str = "$") -> Refusal:
    return invalid(f'Missing required key "{key}" at {path}')


def not_emulated(what: str) -> Refusal:
    return Refusal(JSONResponse({"postkit_emulator": f"{what} is not emulated."}, 501))


def did_document(endpoint: str) -> dict[str, Any]:
    return {
        "@context": ["https://www.w3.org/ns/did/v1"],
        "id": DID,
        "alsoKnownAs": [f"at://{HANDLE}"],
        "service": [
            {
                "id": "#atproto_pds",
                "type": "AtprotoPersonalDataServer",
                "serviceEndpoint": endpoint,
            }
        ],
    }
