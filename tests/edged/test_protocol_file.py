"""Every mistake in protocol.toml is named by file, key and value; the shipped file says what edged says without one."""

from pathlib import Path

import pytest

from edged.config_error import ConfigError
from edged.core.phase import Phase
from edged.core.protocol import DEFAULT, MAX_SENTENCE, Response
from edged.protocol_file import load_protocol, sentence_fault

SHIPPED = Path(__file__).parents[2] / "config" / "protocol.toml"
TEXT = SHIPPED.read_text(encoding="utf-8")
DECIDED = TEXT[: TEXT.index("[readiness]")]
"""What a facility has to decide itself."""
VIDEO = """[rows.t2.video]
say = "Start no new injection and ask the radiologist to confirm aloud: the picture is lost."
who = "technologist"
by_s = 30"""


def write(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "protocol.toml"
    path.write_text(text, encoding="utf-8")
    return path


def mistakes(tmp_path: Path, text: str) -> list[str]:
    path = write(tmp_path, text)
    with pytest.raises(ConfigError) as error:
        load_protocol(path)
    assert all(line.startswith(f"{path}: ") for line in str(error.value).splitlines())
    return error.value.mistakes


def test_the_shipped_file_and_the_built_in_protocol_are_the_same() -> None:
    assert load_protocol(SHIPPED).hash == DEFAULT.hash
    assert load_protocol(SHIPPED) == DEFAULT


def test_t5_the_shipped_file_says_whose_the_script_is_to_write_and_names_no_drug_or_dose() -> None:
    assert "THIS PART IS THE FACILITY'S OWN TO WRITE" in TEXT
    steps = " ".join(step.say for steps in DEFAULT.script.values() for step in steps).lower()
    assert not [
        word for word in ("mg", "ml", "epinephrine", "adrenaline", "antihistamine", "oxygen") if word in steps.split()
    ]


def test_layout_and_comments_are_no_change_of_the_protocol(tmp_path: Path) -> None:
    bare = "\n".join(line for line in TEXT.splitlines() if not line.startswith("#"))
    quoted = bare.replace("[rows.t1.latency]", '[rows."t1.latency"]').replace("by_s = 30 ", "by_s = 30.0 ")
    assert load_protocol(write(tmp_path, quoted)).hash == DEFAULT.hash


def test_what_a_site_does_not_word_otherwise_keeps_its_shipped_sentence(tmp_path: Path) -> None:
    own = DECIDED + (
        '[readiness]\ndrill = "Wait for the end of the exercise."\n'
        '[alarms]\nlink.down = { say = "Ring the provider.", who = "NOC", by_s = 600 }\n'
    )
    read = load_protocol(write(tmp_path, own))
    assert read.readiness == {**DEFAULT.readiness, "drill": "Wait for the end of the exercise."}
    assert read.alarms == {**DEFAULT.alarms, "link.down": Response("Ring the provider.", "NOC", 600.0)}
    assert read.hash != DEFAULT.hash


def test_a_site_may_be_stricter_and_speak_its_own_language(tmp_path: Path) -> None:
    own = VIDEO.replace("by_s = 30", "by_s = 10").replace("Start no new", "No inicie ninguna nueva inyección: no new")
    read = load_protocol(write(tmp_path, TEXT.replace(VIDEO, own)))
    assert read.responses["t2.video"].by_s == 10.0
    assert read.responses["t2.video"].say.startswith("No inicie ninguna nueva inyección")


def test_t5_a_facility_writes_its_own_steps(tmp_path: Path) -> None:
    script = TEXT[TEXT.index("[[script.pre]]") : TEXT.index("[[script.injecting]]")].rpartition("#")[0]
    own = '[[script.pre]]\nsay = "Lock the injector."\nwho = "technologist"\n'
    read = load_protocol(write(tmp_path, TEXT.replace(script, own)))
    assert read.script[Phase.PRE] == (Response("Lock the injector.", "technologist"),)
    assert read.script[Phase.INJECTING] == DEFAULT.script[Phase.INJECTING]


def said(sentence: str) -> str:
    return TEXT.replace(DEFAULT.responses["t1.loss"].say, sentence)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("typo = 1\n" + TEXT, "typo: unknown key (found 1)"),
        (TEXT.replace("[rows.t1.loss]", "[rows.t1.los]"), "rows.t1.los: unknown row; did you mean t1.loss?"),
        (TEXT.replace("[rows.t1.loss]", "[rows.t1.los]"), "rows.t1.loss: missing"),
        (TEXT + '[rows.t9.all]\nsay = "Run."\nwho = "NOC"\n', "rows.t9.all: unknown row"),
        (TEXT + '[rows."t1.loss"]\nsay = "Run."\nwho = "NOC"\n', "rows.t1.loss: is there twice"),
        (TEXT.replace("[[script.pre]]", "[[script.before]]"), "script.before: unknown phase"),
        (TEXT.replace("[[script.pre]]", "[[script.closed]]"), "script.pre: missing"),
        (TEXT.replace("[[script.pre]]", "[script.pre]", 1).split("[[script.pre]]")[0], "script.pre: must be 1 to 12 "),
        (TEXT + '[[script.pre]]\nsay = "Go."\nwho = "NOC"\n' * 12, "script.pre: must be 1 to 12 steps"),
        (TEXT.replace('who = "NOC"', 'who = "janitor"'), "script.injecting[4].who: unknown role; there are tech"),
        (TEXT.replace(VIDEO, VIDEO.replace('"technologist"', "7")), "rows.t2.video.who: unknown role"),
        (TEXT.replace(VIDEO, VIDEO.replace('who = "technologist"', "")), "rows.t2.video.who: missing"),
        (TEXT.replace(VIDEO, VIDEO.replace("say =", "says =")), "rows.t2.video.says: unknown key; did you mean say?"),
        (TEXT.replace(VIDEO, "[rows.t2]\nvideo = 5"), "rows.t2.video: must be a table with say, who and by_s ("),
        (TEXT.replace(VIDEO, VIDEO + ".5"), ".by_s: laxer than the requirements: at most 30 (rule 4) (found 30.5)"),
        (TEXT.replace(VIDEO, VIDEO.replace("by_s = 30", "")), "rows.t2.video.by_s: missing: this row needs a deadline"),
        (TEXT.replace("by_s = 120 ", "by_s = 121 "), "rows.t3.av.by_s: laxer than the requirements: at most 120 (rule"),
        (TEXT.replace("by_s = 15 ", "by_s = 16 "), "rows.t2.switching.by_s: laxer than the requirements: at most 15 "),
        (TEXT.replace("by_s = 0 ", "by_s = 1 "), "rows.t5.contrast_given.by_s: laxer than the requirements: at mo"),
        (TEXT.replace("by_s = 300", "by_s = -1"), "script.injecting[5].by_s: must be seconds, 0 to 3600 (found -1)"),
        (TEXT.replace("by_s = 300", "by_s = 3601"), "must be seconds, 0 to 3600 (found 3601)"),
        (TEXT.replace("by_s = 300", "by_s = nan"), "must be seconds, 0 to 3600 (found nan)"),
        (TEXT.replace("by_s = 300", "by_s = true"), "must be seconds, 0 to 3600 (found True)"),
        (TEXT.replace("by_s = 300", 'by_s = "5 min"'), "must be seconds, 0 to 3600 (found '5 min')"),
        (TEXT.replace('"2026-11"', '"2026-13"'), 'version: must be year and month, like "2026-11" or "2026-11.2"'),
        (TEXT.replace('"2026-11"', "2026"), "version: must be year and month"),
        (TEXT.replace('version = "2026-11"', ""), "version: missing"),
        (TEXT.replace("phone_prompt =", "prompt ="), "phone_prompt: missing"),
        (TEXT.replace("\nt2 =", "\nt5 ="), "clearing.t2: missing"),
        (TEXT.replace("\nt2 =", "\nt5 ="), "clearing.t5: unknown row"),
        (TEXT.replace("\nno_line =", "\nno_lines ="), "readiness.no_lines: unknown code; did you mean no_line?"),
        (TEXT.replace("link.down =", "link.dawn ="), "alarms.link.dawn: unknown condition; did you mean link.down?"),
        (said("Watch. Then wait."), "rows.t1.loss.say: is more than one sentence (found 'Watch. Then wait.')"),
        (said("Watch"), "rows.t1.loss.say: must end in a full stop (found 'Watch')"),
        (said("Call {number}."), "rows.t1.loss.say: holds a bracket: is there something left to fill in?"),
        (said("Watch \\u001b[31mred."), "rows.t1.loss.say: holds a control character"),
        (said("W" * MAX_SENTENCE + "."), "rows.t1.loss.say: too long: 121 characters of at most 120"),
        ("rows = 5\n", "rows: must be a table (found 5)"),
        ("", "rows.t1.latency: missing"),
    ],
)  # fmt: skip
def test_rule4_rule8_a_mistake_names_file_key_and_value(tmp_path: Path, text: str, says: str) -> None:
    assert any(says in mistake for mistake in mistakes(tmp_path, text))


def test_all_mistakes_are_named_at_once(tmp_path: Path) -> None:
    wrong = said("Watch").replace('"2026-11"', '"soon"').replace("by_s = 120 ", "by_s = 600 ")
    assert len(mistakes(tmp_path, wrong)) == 6


@pytest.mark.parametrize("content", [b"[rows\n", b"\xff\xfe", None])
def test_what_is_no_protocol_is_said_to_be_none(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "protocol.toml"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ConfigError, match=r"protocol\.toml: (no TOML|No such file)"):
        load_protocol(path)


@pytest.mark.parametrize(
    "sentence",
    [
        "Call 555-0100.",
        "Hold contrast; call the radiologist (direct phone): sound is lost.",
        "Wait 1.5 minutes.",
        "¡Detenga la inyección.",
        "W" * (MAX_SENTENCE - 1) + ".",
    ],
)
def test_a_sentence_may_be(sentence: str) -> None:
    assert sentence_fault(sentence) is None


@pytest.mark.parametrize(
    "sentence",
    [
        "",
        " ",
        "Stop!",
        "Stop! Then wait.",
        "Stop.\nThen wait.",
        "Stop.  Then wait.",
        " Stop.",
        "Stop. ",
        "Call <the number>.",
        "Call [number].",
        "Stop\u202enow.",  # turns the direction of what follows
        "Stop\u2028now.",
        "Stop\u0007.",
    ],
)
def test_a_sentence_may_not_be(sentence: str) -> None:
    assert sentence_fault(sentence) is not None
