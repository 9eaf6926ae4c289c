"""A packet is good only if a key or a witness vouches for all of the session; whatever was changed is found."""

import asyncio
import json
import random
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from edged.core.protocol import DEFAULT
from edged.evidence import packet as packets
from edged.evidence.errors import EvidenceBroken
from edged.evidence.findings import Level
from edged.evidence.packet import Packet
from edged.evidence.page import page
from edged.evidence.proof import CHECKPOINT, proof_row
from edged.evidence.verifying import Asked, Verdict, verify
from edged.record.canonical import canonical
from edged.record.chain import link
from edged.record.evidence_rows import ChainedRow
from edged.record.witness import Statement, fingerprint, public_text, sign
from tests.edged.evidence.ten_minutes import SESSION, SITE, all_rows, play

Doc = dict[str, Any]
FORGER = Ed25519PrivateKey.from_private_bytes(bytes(range(1, 33)))


def witness_of(rows: Sequence[ChainedRow], extra: Sequence[Doc] = ()) -> bytes:
    """What a NOC holds that heard all of these rows."""
    found = []
    for each in rows:
        body = json.loads(each.body)
        if body["type"] == f"edge.{CHECKPOINT}.v1":
            found.append({"time": body["time"], **body["data"]})
    return json.dumps({"format": "edged-witness-1", "site": SITE, "checkpoints": [*found, *extra]}).encode()


@pytest.fixture(scope="module")
def witness(rows: list[ChainedRow]) -> bytes:
    return witness_of(rows)


@pytest.fixture(scope="module")
def key(packet: Packet) -> str:
    return packet.keys[0][0]


def said(verdict: Verdict) -> str:
    return "\n".join(each.text for each in verdict.findings)


# ── what is whole ──────────────────────────────────────────────────────────────────────────────────────
def test_a_packet_the_noc_vouches_for_is_good(content: bytes, html: bytes, witness: bytes, key: str) -> None:
    for asked in (Asked(html, witness), Asked(html, witness, key), Asked(None, witness), Asked(html, None, key)):
        verdict = verify(content, asked)
        assert verdict.level is Level.GOOD, said(verdict)
        assert "Proven: every row of the session" in said(verdict)


def test_without_a_witness_or_a_key_nobody_can_tell_and_the_fingerprint_is_printed(content: bytes, key: str) -> None:
    verdict = verify(content, Asked())
    assert verdict.level is Level.CANNOT_TELL
    assert key in said(verdict).replace(" ", "")
    assert "agrees with itself" in said(verdict)


def test_the_fingerprint_may_be_typed_as_it_is_read_out(content: bytes, key: str) -> None:
    typed = " ".join(key.upper()[at : at + 4] for at in range(0, 32, 4))
    assert verify(content, Asked(key=typed)).level is Level.GOOD


def test_another_key_is_another_box(content: bytes) -> None:
    verdict = verify(content, Asked(key="0" * 32))
    assert verdict.level is Level.BAD
    assert "Nothing in it is signed with the key" in said(verdict)


def test_a_witness_of_another_site_or_time_tells_nothing(content: bytes, witness: bytes) -> None:
    other = witness.replace(SITE.encode(), b"clinic/room-2")
    assert verify(content, Asked(witness=other)).level is Level.CANNOT_TELL
    for broken in (b"", b"[]", b'{"format": "edged-witness-1"}', witness.replace(b'"at": 1', b'"at": 3', 1)):
        assert verify(content, Asked(witness=broken)).level is Level.CANNOT_TELL


@pytest.mark.parametrize("typed", ["", "0" * 31, "0" * 33, "0x" + "0" * 30, "d4:ce:96"])
def test_what_is_no_fingerprint_accuses_nobody(content: bytes, typed: str) -> None:
    verdict = verify(content, Asked(key=typed))
    assert verdict.level is Level.CANNOT_TELL
    assert "is no fingerprint" in said(verdict)


def test_a_fingerprint_may_be_pasted_with_its_line_end(content: bytes, key: str) -> None:
    assert verify(content, Asked(key=f"{key}\n")).level is Level.GOOD


@pytest.mark.parametrize(("arrived", "late"), [("10:00:30", None), ("15:59:59", "5 h 59 min 59 s")])
def test_rows_the_noc_heard_of_late_are_said_to_be_such(
    content: bytes, witness: bytes, arrived: str, late: str | None
) -> None:
    doc = json.loads(witness)
    doc["checkpoints"][1] |= {"time": "2026-11-22T10:00:00.000Z", "arrived": f"2026-11-22T{arrived}.000Z"}
    verdict = verify(content, Asked(witness=json.dumps(doc).encode()))
    assert verdict.level is Level.GOOD
    assert (f"some only {late} after they were recorded" in said(verdict)) is (late is not None)


@pytest.mark.parametrize("arrived", [5, "yesterday", "2026-11-22"])
def test_a_witness_that_heard_at_no_time_is_none(content: bytes, witness: bytes, arrived: object) -> None:
    doc = json.loads(witness)
    doc["checkpoints"][1]["arrived"] = arrived
    assert verify(content, Asked(witness=json.dumps(doc).encode())).level is Level.CANNOT_TELL


# ── one byte ───────────────────────────────────────────────────────────────────────────────────────────
def changed_byte(content: bytes, dice: random.Random) -> bytes:
    at = dice.randrange(len(content))
    return content[:at] + bytes([(content[at] + dice.randrange(1, 256)) % 256]) + content[at + 1 :]


def test_a_thousand_random_edits_of_one_byte_are_all_found(content: bytes, html: bytes, key: str) -> None:
    dice = random.Random(20261122)
    for _ in range(800):
        edited = changed_byte(content, dice)
        assert verify(edited, Asked(None, None, key)).level is Level.BAD
    for _ in range(200):
        assert verify(content, Asked(changed_byte(html, dice), None, key)).level is Level.BAD


def test_an_edit_is_found_even_where_nobody_vouches_for_the_packet(content: bytes) -> None:
    dice = random.Random(7)
    for _ in range(100):
        assert verify(changed_byte(content, dice), Asked()).level is Level.BAD


@pytest.mark.parametrize("part", ["site", "session", "head", "protocol", "keys", "holes", "format"])
def test_every_part_of_a_packet_is_held_to_its_rows(content: bytes, key: str, part: str) -> None:
    other: Doc = {
        **{"site": "clinic/room-2", "session": "s-0818", "head": "00" * 32, "holes": [3], "format": "edged-evidence-2"},
        **{"protocol": {**DEFAULT.content(), "version": "2026-12"}, "keys": []},
    }
    doc = json.loads(content)
    doc[part] = other[part]
    assert verify(canonical(doc), Asked(key=key)).level is Level.BAD


@pytest.mark.parametrize(
    "spoil",
    [
        lambda doc: doc["derived"]["supervision"].update(continuous=True, dead_s=0),
        lambda doc: doc["derived"]["gaps"].pop(),
        lambda doc: doc["derived"]["completeness"].update(missing=[]),
        lambda doc: doc["derived"].update(band={**doc["derived"]["band"], "av": "Y" * 600}),
        lambda doc: doc["derived"]["phone"].update(used=1),  # to Python, 1 is true
        lambda doc: doc["derived"].update(note="text"),
        lambda doc: doc.update(note="text"),
        lambda doc: doc["rows"][5].update(note="text"),
        lambda doc: doc["rows"].clear(),
    ],
)
def test_what_is_said_of_the_rows_is_what_they_say(content: bytes, key: str, spoil: Callable[[Doc], Any]) -> None:
    doc = json.loads(content)
    spoil(doc)
    assert verify(canonical(doc), Asked(key=key)).level is Level.BAD


@pytest.mark.parametrize("content", [b"", b"{}", b"[]", b"null", b"\xff", b"[" * 100_000, b'{"format":NaN}'])
def test_garbage_is_no_packet(content: bytes) -> None:
    assert verify(content, Asked()).level is Level.BAD


def test_another_spelling_of_the_same_packet_is_not_the_packet(content: bytes, key: str) -> None:
    assert verify(json.dumps(json.loads(content)).encode(), Asked(key=key)).level is Level.BAD
    assert verify(content + b"\n", Asked(key=key)).level is Level.BAD


# ── forgeries ──────────────────────────────────────────────────────────────────────────────────────────
def rechained(rows: Sequence[ChainedRow]) -> list[ChainedRow]:
    """A forger's work: every row follows the one before it again."""
    found: list[ChainedRow] = []
    for at, each in enumerate(rows):
        previous = link(found[-1].previous, found[-1].body) if found else each.previous
        found.append(ChainedRow(at + 1, previous, each.body))
    return found


def resigned(rows: Sequence[ChainedRow]) -> list[ChainedRow]:
    """… and signs it all with a key of his own."""
    found: list[ChainedRow] = []
    hashes: dict[tuple[str, int], str] = {}
    for each in rows:
        body = json.loads(each.body)
        previous = link(found[-1].previous, found[-1].body) if found else each.previous
        if body["type"] == f"edge.{CHECKPOINT}.v1":
            data = body["data"]
            row_hash = hashes.get((data["stream"], data["at"]), data["row_hash"])
            statement = Statement(data["stream"], data["at"], row_hash)
            public = public_text(FORGER)
            signed = {"public_key": public, "key": fingerprint(public), "signature": sign(FORGER, statement)}
            body["data"] = {**data, "row_hash": row_hash, **signed}
        row = replace(each, row=len(found) + 1, previous=previous, body=canonical(body))
        hashes[body["stream"], body["sequence"]] = link(row.previous, row.body).hex()
        found.append(row)
    return found


def without_gaps(rows: Sequence[ChainedRow]) -> list[ChainedRow]:
    """Every dead second made live."""
    found = []
    for each in rows:
        body = json.loads(each.body)
        if body["type"] == "edge.av.seconds.v1":
            data = body["data"]
            lanes = {name: "L" * len(data["av"]) for name in data if name.startswith(("audio", "video"))}
            body["data"] = {**data, **lanes, "av": "Y" * len(data["av"])}
        found.append(replace(each, body=canonical(body)))
    return found


def renumbered(rows: Sequence[ChainedRow]) -> list[ChainedRow]:
    """Sequences without a gap again."""
    first = json.loads(rows[0].body)["sequence"]
    found = []
    for at, each in enumerate(rows):
        body = json.loads(each.body)
        body |= {"sequence": first + at, "id": f"{body['stream']}:{first + at}"}
        found.append(replace(each, body=canonical(body)))
    return found


Forge = Callable[[list[ChainedRow]], list[ChainedRow]]
FORGERIES: dict[str, Forge] = {
    "rows changed": lambda rows: rechained(without_gaps(rows)),
    "a row deleted": lambda rows: rechained([*rows[:30], *rows[31:]]),
    "a row deleted and the rest renumbered": lambda rows: rechained(renumbered([*rows[:30], *rows[31:]])),
    "two rows exchanged": lambda rows: rechained([*rows[:30], rows[31], rows[30], *rows[32:]]),
    "a row said twice": lambda rows: rechained([*rows[:30], rows[29], *rows[30:]]),
    "checkpoints left out": lambda rows: rechained([r for r in rows if CHECKPOINT.encode() not in r.body]),
}


@pytest.mark.parametrize("forge", FORGERIES.values(), ids=FORGERIES.keys())
def test_rows_that_were_changed_and_chained_anew_are_found(
    rows: list[ChainedRow], witness: bytes, key: str, forge: Forge
) -> None:
    forged = packets.build(forge(rows), SESSION, DEFAULT.content())
    for asked in (Asked(witness=witness), Asked(key=key), Asked(witness=witness, key=key)):
        assert verify(forged, asked).level is not Level.GOOD
    assert verify(forged, Asked(witness=witness)).level is Level.BAD


@pytest.mark.parametrize("forge", FORGERIES.values(), ids=FORGERIES.keys())
def test_a_forgers_own_key_helps_him_only_where_nobody_vouches(
    rows: list[ChainedRow], witness: bytes, key: str, forge: Forge
) -> None:
    """Everything agrees with itself, and is still not what the box recorded."""
    content = packets.build(resigned(forge(rows)), SESSION, DEFAULT.content())
    packet = packets.read(content)
    html = page(packet).encode()
    for asked in (Asked(html, witness), Asked(html, None, key)):
        verdict = verify(content, asked)
        assert verdict.level is Level.BAD, said(verdict)
    assert verify(content, Asked(html)).level is not Level.GOOD


def test_e1_a_session_made_better_than_it_was_is_found(rows: list[ChainedRow], witness: bytes) -> None:
    forged = packets.build(resigned(without_gaps(rows)), SESSION, DEFAULT.content())
    assert packets.read(forged).derived["supervision"]["dead_s"] == 0  # so it would have read
    verdict = verify(forged, Asked(witness=witness))
    assert verdict.level is Level.BAD
    assert "not the row the NOC was told of" in said(verdict)


@pytest.mark.parametrize("kept", [10, 40, 75, 100, 102])
def test_a_packet_cut_short_is_found(rows: list[ChainedRow], witness: bytes, key: str, kept: int) -> None:
    cut = packets.build(rows[:kept], SESSION, DEFAULT.content())
    assert verify(cut, Asked(key=key)).level is Level.CANNOT_TELL
    later = verify(cut, Asked(witness=witness))
    assert later.level is Level.BAD, said(later)


def test_what_the_noc_was_told_needs_no_checkpoint_in_the_packet(
    rows: list[ChainedRow], witness: bytes, key: str
) -> None:
    """The last row alone is missing: the checkpoint of the one before it, which the NOC has."""
    cut = packets.build(rows[:-1], SESSION, DEFAULT.content())
    assert verify(cut, Asked(witness=witness)).level is Level.GOOD
    assert verify(cut, Asked(key=key)).level is Level.CANNOT_TELL


@pytest.mark.parametrize("first", [3, 10, 40])
def test_a_packet_without_its_beginning_is_found(rows: list[ChainedRow], witness: bytes, key: str, first: int) -> None:
    cut = packets.build(rows[first:], SESSION, DEFAULT.content())
    for asked in (Asked(witness=witness), Asked(key=key)):
        verdict = verify(cut, asked)
        assert verdict.level is not Level.GOOD
        assert "how the session began" in said(verdict)


def test_a_request_that_was_cut_off_is_found_by_the_response_that_was_measured(rows: list[ChainedRow]) -> None:
    """The radiologist joined in one step; without its request the session looks as if nobody had asked for them."""
    whole = resigned([replace(each, body=each.body.replace(b"session_joined", b"session_opened")) for each in rows])
    witness = witness_of(whole)
    assert verify(packets.build(whole, SESSION), Asked(witness=witness)).level is Level.GOOD
    at = next(at for at, row in enumerate(whole) if b"act.session_opened" in row.body)
    verdict = verify(packets.build(whole[at:], SESSION), Asked(witness=witness))
    assert verdict.level is Level.CANNOT_TELL
    assert "how the session began" in said(verdict)


def streams_changed(rows: Sequence[ChainedRow], at: int) -> list[ChainedRow]:
    """From row `at` on the box counts anew in another stream, as when its disk had refused."""
    stream, found, places = "00000000-9d6a-46ef-92e4-8fd032032bff", [], {}
    for place, each in enumerate(rows):
        body = json.loads(each.body)
        was = body["stream"], body["sequence"]
        if place >= at:
            body |= {"stream": stream, "sequence": place - at + 1, "id": f"{stream}:{place - at + 1}"}
        places[was] = body["stream"], body["sequence"]
        if body["type"] == f"edge.{CHECKPOINT}.v1" and (
            now := places.get((body["data"]["stream"], body["data"]["at"]))
        ):
            body["data"] |= {"stream": now[0], "at": now[1]}
        found.append(replace(each, body=canonical(body)))
    return resigned(found)


def test_a_session_over_two_streams_is_whole_and_a_cut_between_them_is_found(rows: list[ChainedRow]) -> None:
    both = streams_changed(rows, 50)
    witness = witness_of(both)
    verdict = verify(packets.build(both, SESSION), Asked(witness=witness))
    assert verdict.level is Level.GOOD, said(verdict)
    assert verify(packets.build(both[:50], SESSION), Asked(witness=witness)).level is Level.BAD
    assert verify(packets.build(both[50:], SESSION), Asked(witness=witness)).level is Level.CANNOT_TELL
    dropped = rechained([*both[:45], *both[52:]])
    assert verify(packets.build(dropped, SESSION), Asked(witness=witness)).level is Level.BAD


def test_a_hole_the_box_made_itself_is_said_and_never_called_good(rows: list[ChainedRow], witness: bytes) -> None:
    holed = packets.build([*rows[:50], *rows[53:]], SESSION, DEFAULT.content())
    verdict = verify(holed, Asked(witness=witness))
    assert verdict.level is Level.CANNOT_TELL
    assert "Before row 51" in said(verdict)


def test_rows_after_the_last_checkpoint_are_not_proven_and_this_is_said(tmp_path: Path) -> None:
    asyncio.run(play(tmp_path, until=625))  # it dies a second after the closing
    rows = all_rows(tmp_path)
    content = packets.build(rows, SESSION)
    key = packets.read(content).keys[0][0]
    verdict = verify(content, Asked(key=key, witness=witness_of(rows)))
    assert verdict.level is Level.CANNOT_TELL
    assert "are not covered by a checkpoint" in said(verdict)


def test_a_checkpoint_the_noc_holds_of_a_row_that_is_not_there_is_a_deletion(
    rows: list[ChainedRow], packet: Packet, witness: bytes
) -> None:
    held = json.loads(witness)["checkpoints"]
    assert len(held) > 10
    middle = next(row for row in packet.rows if row.said.kind == "act.contrast_started")
    statement = Statement(middle.said.stream, middle.said.sequence, "11" * 32)
    public = public_text(FORGER)
    extra = {
        **{"stream": statement.stream, "at": statement.at, "row_hash": statement.row_hash, "public_key": public},
        **{"key": fingerprint(public), "signature": sign(FORGER, statement), "time": middle.said.time},
    }
    content = packets.build(rows, SESSION, DEFAULT.content())
    assert verify(content, Asked(witness=witness_of(rows, [extra]))).level is Level.BAD


def in_another_stream(rows: Sequence[ChainedRow], more: Doc | None = None) -> list[ChainedRow]:
    """The same session as a record of its own."""
    stream = "00000000-9d6a-46ef-92e4-8fd032032bff"
    found = []
    for each in rows:
        body = {**json.loads(each.body), **(more or {})}
        body |= {"stream": stream, "id": f"{stream}:{body['sequence']}"}
        if body["type"] == f"edge.{CHECKPOINT}.v1":
            body["data"] |= {"stream": stream}
        found.append(replace(each, body=canonical(body)))
    return resigned(found)


@pytest.mark.parametrize(("clockq", "level"), [("synced", Level.BAD), ("holdover", Level.CANNOT_TELL)])
def test_a_record_made_in_the_place_of_another_is_found_though_the_noc_was_told_of_both(
    rows: list[ChainedRow], witness: bytes, clockq: str, level: Level
) -> None:
    forged = in_another_stream(without_gaps(rows), {"clockq": clockq})
    told = witness_of(forged, json.loads(witness)["checkpoints"])
    verdict = verify(packets.build(forged, SESSION), Asked(witness=told))
    assert verdict.level is level
    assert "was told of another record of the same time" in said(verdict)


def test_a_record_that_began_after_another_was_lost_replaces_nothing(rows: list[ChainedRow], witness: bytes) -> None:
    """The box's disk broke before the session began: its earlier record is known to the NOC alone."""
    anew = in_another_stream(rows)
    before = [each for each in json.loads(witness)["checkpoints"] if each["time"] < "2026-11-22T10:00"]
    assert before
    assert verify(packets.build(anew[1:], SESSION), Asked(witness=witness_of(anew, before))).level is Level.GOOD


def test_a_packet_cut_short_is_found_where_the_clock_was_set_back_later(rows: list[ChainedRow]) -> None:
    found = []
    for at, each in enumerate(rows):
        body = json.loads(each.body)
        if at >= 50:
            body["time"] = body["time"].replace("T10:", "T08:")
        found.append(replace(each, body=canonical(body)))
    whole = resigned(found)
    assert verify(packets.build(whole, SESSION), Asked(witness=witness_of(whole))).level is Level.GOOD
    cut = packets.build(whole[:50], SESSION)
    assert verify(cut, Asked(witness=witness_of(whole))).level is Level.BAD


def test_an_id_that_was_used_again_is_never_called_good(rows: list[ChainedRow], packet: Packet) -> None:
    body = json.loads(rows[-1].body)
    moment = {"time": "2026-11-24T10:00:00.000Z", "monoms": str(int(body["monoms"]) + 2 * 86_400_000)}
    begun = {**json.loads(next(row.body for row in rows if b"act.session_requested" in row.body)), **moment}
    signed = {**json.loads(rows[-1].body), **moment}
    last = body["sequence"]
    begun |= {"sequence": last + 1, "id": f"{body['stream']}:{last + 1}"}
    signed |= {"sequence": last + 2, "id": f"{body['stream']}:{last + 2}", "data": {**signed["data"], "at": last + 1}}
    more = [ChainedRow(len(rows) + at, b"", canonical(each)) for at, each in enumerate((begun, signed), 1)]
    used = resigned([*rows, *more])
    verdict = verify(packets.build(used, SESSION), Asked(witness=witness_of(used)))
    assert verdict.level is Level.CANNOT_TELL
    assert "used for another procedure at 2026-11-24T10:00:00.000Z" in said(verdict)


@pytest.mark.parametrize(
    "spoil",
    [
        {"monoms": "9" * 18},
        {"time": "9999-12-31T23:59:59.999Z"},
        {"time": "0001-01-01T00:00:00.000Z"},
        {"time": "9999-12-31T23:59:59.999Z", "bootid": "00000000-98e6-46f4-aafc-8b5470085929"},
    ],
)
def test_a_row_from_the_end_of_days_is_a_verdict_and_no_crash(content: bytes, spoil: Doc) -> None:
    doc = json.loads(content)
    closed = next(row for row in doc["rows"] if "act.session_closed" in row["body"])
    closed["body"] = canonical({**json.loads(closed["body"]), **spoil}).decode()
    rows = resigned(
        [ChainedRow(at, bytes.fromhex(r["previous"]), r["body"].encode()) for at, r in enumerate(doc["rows"])]
    )
    doc["rows"] = [{"previous": row.previous.hex(), "body": row.body.decode()} for row in rows]
    doc["head"] = link(rows[-1].previous, rows[-1].body).hex()
    public = public_text(FORGER)
    doc["keys"] = [{"fingerprint": fingerprint(public), "public_key": public}]
    assert verify(canonical(doc), Asked()).level is Level.BAD


# ── what may not get in ────────────────────────────────────────────────────────────────────────────────
SECRET = "Jane Roe, born 1961"


def doctored(rows: Sequence[ChainedRow], kind: str, **more: object) -> list[ChainedRow]:
    found = []
    for each in rows:
        body = json.loads(each.body)
        if body["type"] == f"edge.{kind}.v1":
            body["data"] = {**body["data"], **more}
        found.append(replace(each, body=canonical(body)))
    return resigned(found)


@pytest.mark.parametrize(
    ("kind", "field"),
    [
        ("act.session_joined", "actor"),
        ("act.reaction_marked", "subject"),
        ("act.held", "reason"),
        ("tier.entered", "cause"),
        ("av.seconds", "audio_to"),
        ("wan.failover", "active"),
        ("timer.started", "timer"),
        ("ledger.checkpoint", "version"),
    ],
)
def test_e7_text_in_the_place_of_a_code_or_a_name_fails(rows: list[ChainedRow], kind: str, field: str) -> None:
    text = f"<b>{SECRET}</b>"
    with pytest.raises(EvidenceBroken) as caught:
        packets.build(doctored(rows, kind, **{field: text}), SESSION)
    assert "Jane" not in str(caught.value)


@pytest.mark.parametrize("kind", ["wan.failover", "av.seconds", "act.held", "ledger.checkpoint"])
def test_e7_a_field_the_contract_does_not_know_fails_and_is_not_repeated(rows: list[ChainedRow], kind: str) -> None:
    with pytest.raises(EvidenceBroken, match=r"row .*: it says what the contract does not know") as caught:
        packets.build(doctored(rows, kind, note=SECRET), SESSION)
    assert "Jane" not in str(caught.value)


def test_e7_a_kind_this_version_does_not_know_is_chained_but_never_shown(rows: list[ChainedRow]) -> None:
    later = []
    for each in rows:
        body = json.loads(each.body)
        if body["type"] == "edge.path.diagnosed.v1":
            body |= {"type": "edge.later.kind.v1", "data": {"note": SECRET}}
        later.append(replace(each, body=canonical(body)))
    content = packets.build(resigned(later), SESSION)
    packet = packets.read(content)
    assert "Jane" not in page(packet)
    assert "Jane" not in json.dumps(packet.derived)
    verdict = verify(content, Asked(key=packet.keys[0][0]))
    assert verdict.level is Level.CANNOT_TELL
    assert "of a kind this version does not know" in said(verdict)


@pytest.mark.parametrize(
    "spoil",
    [
        {"sequence": 0.5},
        {"tier": 9},
        {"time": "2026-13-45T10:00:00.000Z"},
        {"id": "x"},
        {"clockq": "perfect"},
        {"note": "x"},
        {"source": "edge/a b/c"},
        {"data": []},
    ],
)
def test_an_envelope_that_is_none_is_no_row(rows: list[ChainedRow], spoil: Doc) -> None:
    body = {**json.loads(rows[3].body), **spoil}
    with pytest.raises(EvidenceBroken):
        proof_row(rows[3].previous, canonical(body))
