"""The account's repository: records by key, written once or changed, and read back."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from postkit.emulator.base import Refusal
from postkit.emulator.timeline import LivePost
from postkit.emulator.world import World

from ..tid import encode
from .answers import COLLECTION, DID, HANDLE, invalid, missing, not_emulated, problem
from .batch import CREATED, creates_of
from .blobs import Blobs
from .cid import cid_of_json
from .gates import GATES, Gates
from .lexicon import Flaw, blobs_of, check_gate, check_numbers, check_post
from .shown import live_post

NETWORK = "bluesky"
_RKEY = re.compile(r"[a-zA-Z0-9._~:-]{1,512}")
_TID = re.compile(r"[234567abcdefghij][234567abcdefghijklmnopqrstuvwxyz]{12}")

Body = Mapping[str, Any]
Answer = dict[str, Any]


class Repo:
    """What is in the world's timeline, as records of ``app.bsky.feed.post``, and their gates."""

    def __init__(self, world: World, blobs: Blobs) -> None:
        self._world = world
        self._blobs = blobs
        self._gates = Gates(world)
        self._head = ""
        self._commit()

    def clear(self) -> None:
        self._gates.clear()

    def put(self, body: Body) -> Answer:
        """Create or change. The same record again changes nothing and has no commit."""
        self._own(body)
        uri = self._uri(_rkey(body))
        record, valid = self._checked(body)
        cid = cid_of_json(record)
        there = self._world.timeline.hasten(NETWORK, uri)
        is_at = str(there.extra["cid"]) if there else None
        if is_at == cid:
            return {"uri": uri, "cid": cid, **valid}
        if "swapRecord" in body and body["swapRecord"] != is_at:
            raise problem(400, "InvalidSwap", f"Record was at {is_at or 'null'}")
        self._check_commit(body)
        post = self._post(record, uri, cid, there.extra.get("gate") if there else None)
        if there is None:
            self._world.timeline.add(post)
        else:
            self._world.timeline.update(post)
        return {"uri": uri, "cid": cid, "commit": self._commit(), **valid}

    def create(self, body: Body) -> Answer:
        """A used key is an error of the server, not a refusal: that is how a real one is."""
        self._own(body)
        uri = self._uri(_rkey(body) if "rkey" in body else self._tid())
        record, valid = self._checked(body)
        if self._world.timeline.hasten(NETWORK, uri) is not None:
            raise problem(500, "InternalServerError", "Internal Server Error")
        self._check_commit(body)
        cid = cid_of_json(record)
        self._world.timeline.add(self._post(record, uri, cid))
        return {"uri": uri, "cid": cid, "commit": self._commit(), **valid}

    def apply(self, body: Body) -> Answer:
        """A post with its gate, or a post alone: both are written, or nothing is.

        Other batches are not emulated.
        """
        _required(body, "repo")
        writes = creates_of(body)
        self._own({**body, "collection": COLLECTION})
        rows: dict[str, Answer] = {}
        results = []
        for number, write in enumerate(writes):
            collection, place = str(write["collection"]), f"$.writes[{number}]"
            asked = {**body, "record": write["value"]}
            record, valid = self._checked(asked, collection, place)
            uri, cid = self._uri(_rkey(write, collection), collection), cid_of_json(record)
            rows[collection] = {"uri": uri, "cid": cid, "value": record}
            results.append({"uri": uri, "cid": cid, **valid, "$type": CREATED})
        post, gate = rows[COLLECTION], rows.get(GATES)
        rkey = _rkey(writes[0])
        is_there = self._world.timeline.hasten(NETWORK, post["uri"]) is not None
        if is_there or (gate is not None and self._gates.get(rkey) is not None):
            raise problem(500, "InternalServerError", "Internal Server Error")
        self._check_commit(body)
        self._world.timeline.add(self._post(post["value"], post["uri"], post["cid"], gate))
        return {"commit": self._commit(), "results": results}

    def delete(self, body: Body) -> Answer:
        if body.get("collection") == GATES:
            return self._delete_gate(body)
        self._own(body)
        uri = self._uri(_rkey(body))
        post = self._world.timeline.get(NETWORK, uri)
        gone = self._world.timeline.delete(NETWORK, uri)
        if gone and post is not None:
            self._gates.leave(post)
        return {"commit": self._commit()} if gone else {}

    def _delete_gate(self, body: Body) -> Answer:
        self._own({**body, "collection": COLLECTION})
        rkey = _rkey(body)
        if self._gates.forget(rkey):
            return {"commit": self._commit()}
        if self._gates.get(rkey) is not None:
            raise not_emulated("To open a gated post to everyone")
        return {}

    def get(self, params: Mapping[str, str]) -> Answer:
        self._known(params)
        rkey, collection = _required(params, "rkey"), str(params["collection"])
        uri = self._uri(rkey, collection)
        if collection == GATES:
            row = self._gates.get(rkey)
        else:
            post = self._world.timeline.get(NETWORK, uri)
            row = _row(post) if post is not None else None
        if row is None:
            raise problem(400, "RecordNotFound", f"Could not locate record: {uri}")
        return row

    def list(self, params: Mapping[str, str]) -> Answer:
        """By key, newest first; ``cursor`` is the key that the former page ended with."""
        self._known(params)
        limit = _limit(params.get("limit", "50"))
        oldest_first = params.get("reverse") == "true"
        collection = str(params["collection"])
        if collection == GATES:
            found = list(self._gates.all().values())
        else:
            found = [_row(post) for post in self._world.timeline.list(NETWORK)]
        rows = sorted(found, key=lambda row: str(row["uri"]), reverse=not oldest_first)
        cursor = params.get("cursor")
        if cursor:
            after = self._uri(cursor, collection)
            rows = [r for r in rows if (r["uri"] > after if oldest_first else r["uri"] < after)]
        page = rows[:limit]
        answer: Answer = {"records": page}
        return answer | {"cursor": page[-1]["uri"].rpartition("/")[2]} if page else answer

    def _own(self, body: Body) -> None:
        repo, collection = _required(body, "repo"), _required(body, "collection")
        if repo not in (DID, HANDLE):
            raise problem(403, "AccountNotFound", "Account not found")
        if collection != COLLECTION:
            raise not_emulated(f"The collection {collection}")

    def _known(self, params: Mapping[str, str]) -> None:
        repo, collection = _required(params, "repo"), _required(params, "collection")
        if repo not in (DID, HANDLE):
            raise problem(502, "UpstreamFailure", "Upstream service unreachable")
        if collection not in (COLLECTION, GATES):
            raise not_emulated(f"The collection {collection}")

    def _checked(
        self, body: Body, collection: str = COLLECTION, place: str = "$"
    ) -> tuple[dict[str, Any], dict[str, str]]:
        """The record, and what is said of it. ``place`` is where in the request it stands."""
        given = _required(body, "record")
        if not isinstance(given, dict):
            raise invalid("Expected object value type at $.record")
        record = {"$type": collection, **given}
        check_numbers(record, f"{place}.{'record' if place == '$' else 'value'}")
        if body.get("validate") is False:
            return record, {}
        try:
            (check_gate if collection == GATES else check_post)(record)
        except Flaw as flaw:
            where = f"{place}.record{flaw.path}"
            message = f"Invalid {collection} record: {flaw.reason} at {where}"
            raise invalid(message) from None
        for blob in blobs_of(record):
            self._blobs.check(blob)
        return record, {"validationStatus": "valid"}

    def _check_commit(self, body: Body) -> None:
        if "swapCommit" in body and body["swapCommit"] != self._head:
            raise problem(400, "InvalidSwap", f"Commit was at {self._head}")

    def _post(
        self, record: dict[str, Any], uri: str, cid: str, gate: Answer | None = None
    ) -> LivePost:
        rkey = uri.rpartition("/")[2]
        url = f"{self._world.base_url}/{NETWORK}/profile/{HANDLE}/post/{rkey}"
        now = self._world.clock.now()
        return live_post(record, uri=uri, cid=cid, url=url, now=now, blobs=self._blobs, gate=gate)

    def _uri(self, rkey: str, collection: str = COLLECTION) -> str:
        return f"at://{DID}/{collection}/{rkey}"

    def _tid(self) -> str:
        microseconds = int(self._world.clock.now().timestamp() * 1_000_000)
        return encode(microseconds + self._world.number(), 0)

    def _commit(self) -> dict[str, str]:
        rev = self._tid()
        self._head = cid_of_json({"did": DID, "rev": rev})
        return {"cid": self._head, "rev": rev}


def _row(post: LivePost) -> Answer:
    return {"uri": post.id, "cid": post.extra["cid"], "value": post.extra["record"]}


def _required(values: Mapping[str, Any], name: str) -> Any:
    if name not in values:
        raise missing(name)
    return values[name]


def _rkey(body: Body, collection: str = COLLECTION) -> str:
    rkey = str(_required(body, "rkey"))
    if not _RKEY.fullmatch(rkey):
        raise invalid(f'Invalid record key (got "{rkey}") at $.rkey')
    if not _TID.fullmatch(rkey):
        raise _bad_tid(rkey, collection)
    return rkey


def _bad_tid(rkey: str, collection: str) -> Refusal:
    return invalid(f'Invalid record key for {collection}: Invalid TID string (got "{rkey}") at $')


def _limit(text: str) -> int:
    where = "Invalid com.atproto.repo.listRecords params"
    if not re.fullmatch("-?[0-9]{1,15}", text):
        raise invalid(f"{where}: Expected integer value type (got {text})")
    limit = int(text)
    if limit > 100:
        raise invalid(f"{where}: integer too big (maximum 100, got {limit})")
    if limit < 1:
        raise invalid(f"{where}: integer too small (minimum 1, got {limit})")
    return limit
