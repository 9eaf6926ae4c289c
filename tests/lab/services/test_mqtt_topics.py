import pytest
from hypothesis import given
from hypothesis import strategies as st

from lab.services.mqtt_topics import matches, valid_filter, valid_topic


@pytest.mark.parametrize(
    ("pattern", "topic", "expected"),
    [
        ("a/b", "a/b", True),
        ("a/b", "a/c", False),
        ("a/+", "a/b", True),
        ("a/+", "a", False),
        ("a/+", "a/", True),
        ("a/+", "a/b/c", False),
        ("a/#", "a/b/c", True),
        ("a/#", "a", True),
        ("a/#", "ab", False),
        ("#", "a/b", True),
        ("+/b", "/b", True),
        ("+/+/c", "a/b/c", True),
        ("#", "$SYS/x", False),
        ("+/x", "$SYS/x", False),
        ("$SYS/#", "$SYS/x", True),
        ("edge/v1/+/+/evt/+", "edge/v1/lab/imaging-1/evt/t2", True),
    ],
)
def test_filters_cover_what_the_standard_says(pattern: str, topic: str, expected: bool) -> None:
    assert matches(pattern, topic) is expected


@pytest.mark.parametrize("pattern", ["a", "#", "+", "a/#", "+/a/+/#", "/", "$share-not/a"])
def test_good_filters(pattern: str) -> None:
    assert valid_filter(pattern)


@pytest.mark.parametrize("pattern", ["", "a#", "a/#/b", "a+/b", "#/a", "a\0"])
def test_bad_filters(pattern: str) -> None:
    assert not valid_filter(pattern)


@pytest.mark.parametrize("topic", ["", "a/+", "#", "a\0b"])
def test_nobody_publishes_to_a_wildcard(topic: str) -> None:
    assert not valid_topic(topic)


@given(st.lists(st.sampled_from(["a", "b", ""]), min_size=1, max_size=5).map("/".join).filter(valid_topic))
def test_a_topic_covers_itself(topic: str) -> None:
    assert matches(topic, topic)
    assert matches(topic + "/#", topic)
