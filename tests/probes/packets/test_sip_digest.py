from contextlib import suppress
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from probes.errors import PeerError
from probes.packets.sip_digest import Challenge, Credentials, authorization, choose, read_challenge

# RFC 7616 section 3.9.1.
REALM = "http-auth@example.org"
NONCE = "7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v"
OPAQUE = "FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS"
CNONCE = "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ"
OFFERED = f'Digest realm="{REALM}", qop="auth, auth-int", algorithm=%s, nonce="{NONCE}", opaque="{OPAQUE}"'
MUFASA = Credentials("Mufasa", "Circle of Life")


@pytest.mark.parametrize(
    ("algorithm", "response"),
    [
        ("MD5", "8ca523f5e9506fed4657c9700eebdbec"),
        ("SHA-256", "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1"),
    ],
)
def test_c1_the_examples_of_rfc_7616_are_answered_as_there(algorithm: str, response: str) -> None:
    challenge = read_challenge(OFFERED % algorithm)
    assert challenge is not None
    assert authorization(challenge, MUFASA, "GET", "/dir/index.html", cnonce=CNONCE) == (
        f'Digest username="Mufasa", realm="{REALM}", nonce="{NONCE}", uri="/dir/index.html", response="{response}", '
        f'algorithm={algorithm}, qop=auth, nc=00000001, cnonce="{CNONCE}", opaque="{OPAQUE}"'
    )


def test_without_qop_and_algorithm_the_answer_is_that_of_rfc_2069() -> None:
    """Its example, with the response of the erratum."""
    challenge = read_challenge('Digest realm="testrealm@host.com", nonce="dcd98b7102dd2f0e8b11d0f600bfb0c093"')
    assert challenge is not None
    answer = authorization(challenge, Credentials("Mufasa", "CircleOfLife"), "GET", "/dir/index.html", cnonce="unused")
    assert 'response="1949323746fe6a43ef61f9606e7febea"' in answer
    assert not {"qop", "nc", "cnonce", "algorithm", "opaque"} & {
        part.split("=")[0].strip() for part in answer.split(",")
    }


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ('Digest realm="r", nonce="n"', Challenge("r", "n", "MD5", False, None, False, False)),
        ("DIGEST NONCE=n,REALM=r,Stale=TRUE", Challenge("r", "n", "MD5", False, None, False, True)),
        ('Digest realm="a \\"b\\"", nonce="", qop=auth', Challenge('a \\"b\\"', "", "MD5", False, None, True, False)),
        ('Digest realm="r",nonce="n",algorithm="sha-256"', Challenge("r", "n", "SHA-256", True, None, False, False)),
        (
            'Digest realm="r", nonce="n", domain="sip:x", auth-param=1',
            Challenge("r", "n", "MD5", False, None, False, False),
        ),
        ('Digest realm="r", nonce="n", algorithm=SHA-512-256', None),
        ('Digest realm="r", nonce="n", algorithm=MD5-sess', None),
        ('Digest realm="r", nonce="n", qop="auth-int"', None),
        ('Basic realm="r"', None),
        ("Bearer", None),
    ],
)
def test_a_challenge_is_read_or_known_not_to_be_ours(value: str, expected: Challenge | None) -> None:
    assert read_challenge(value) == expected


@pytest.mark.parametrize(
    "value",
    [
        "Digest ",
        'Digest realm="r"',
        'Digest nonce="n"',
        'Digest realm="r, nonce="n"',
        'Digest realm="r" nonce="n"',
        'Digest realm="r", nonce="n\rContact: <sip:evil@x>"',
        'Digest realm="r\x00", nonce="n"',
        'Digest realm="r", nonce=n\\',
        'Digest realm="r", nonce="' + "n" * 600 + '"',
    ],
)
def test_garbage_and_what_could_break_out_of_the_answer_is_refused(value: str) -> None:
    with pytest.raises(PeerError):
        read_challenge(value)


def test_rfc8760_the_first_challenge_that_can_be_answered_is() -> None:
    values = [OFFERED % "SHA-512-256", OFFERED % "SHA-256", OFFERED % "MD5"]
    chosen = choose(values)
    assert chosen is not None
    assert chosen.algorithm == "SHA-256"
    assert choose(values[:1]) is None
    assert choose([]) is None


def test_what_the_peer_gave_is_hashed_as_its_bytes_and_a_password_as_utf_8() -> None:
    realm = "Zürich".encode().decode("latin-1")
    challenge = Challenge(realm, "n", "MD5", False, None, False, False)
    plain = replace(challenge, realm="Zurich")
    answers = {
        authorization(each, Credentials("17", password), "REGISTER", "sip:x", cnonce="c")
        for each in (challenge, plain)
        for password in ("s\u20acsam", "sesam")
    }
    assert len(answers) == 4


def test_a_user_of_any_letters_stands_in_the_header_as_the_bytes_that_are_hashed() -> None:
    challenge = Challenge("r", "n", "MD5", False, None, False, False)
    answer = authorization(challenge, Credentials("\u0141ukasz", "x"), "REGISTER", "sip:x", cnonce="c")
    assert b'username="\xc5\x81ukasz"' in answer.encode("latin-1")


def test_a_nonce_answered_again_counts_on() -> None:
    """RFC 7616 section 3.4: a count that comes twice is a replay."""
    challenge = read_challenge(OFFERED % "MD5")
    assert challenge is not None
    first, second = (authorization(challenge, MUFASA, "GET", "/", cnonce="c", count=n) for n in (1, 2))
    assert "nc=00000001" in first
    assert "nc=00000002" in second
    assert first.partition("response=")[2][:34] != second.partition("response=")[2][:34]


def test_a_password_shows_in_no_representation() -> None:
    assert "Circle" not in repr(MUFASA)


PIECES = (
    "Digest ",
    "realm",
    "nonce",
    "=",
    '"',
    ",",
    " ",
    "\\",
    "qop",
    "auth",
    "algorithm",
    "MD5",
    "stale",
    "true",
    "\r",
    "\xff",
)


@given(st.lists(st.sampled_from(PIECES), max_size=40).map("".join) | st.text(max_size=60))
def test_no_challenge_makes_an_answer_of_more_than_one_line(noise: str) -> None:
    with suppress(PeerError):
        challenge = read_challenge(f'Digest realm="r", nonce="n", {noise}') or read_challenge(noise)
        if challenge is not None:
            answer = authorization(challenge, MUFASA, "REGISTER", "sip:x", cnonce="c")
            assert not {"\r", "\n", "\0"} & set(answer)
            assert answer.replace("\\\\", "").replace('\\"', "").count('"') % 2 == 0
