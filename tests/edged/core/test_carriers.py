import pytest
from hypothesis import given
from hypothesis import strategies as st

from edged.core.carriers import Carrier, diverse

NOTHING: Carrier = (None, None)


@pytest.mark.parametrize(
    ("mobile", "failover", "expected"),
    [
        pytest.param(("310-260", 21928), ("311-480", 6167), True, id="another carrier by both"),
        pytest.param(("310-260", 21928), ("310-260", 21928), False, id="the same by both"),
        pytest.param(("310-260", 21928), ("311-480", 21928), False, id="a guest of the same carrier: same AS"),
        pytest.param(("310-260", 21928), ("310-260", 6167), False, id="the same radio network, another exit"),
        pytest.param(("310-260", None), ("311-480", None), True, id="only codes are known"),
        pytest.param((None, 21928), (None, 6167), True, id="only AS numbers are known"),
        pytest.param(("310-260", None), ("311-480", 6167), True, id="the AS of one side is not known"),
        pytest.param(("310-260", None), ("310-260", 6167), False, id="the code alone convicts"),
        pytest.param((None, 21928), ("310-260", 21928), False, id="the AS alone convicts"),
        pytest.param(("310-260", None), (None, 6167), None, id="nothing is known of both"),
        pytest.param(NOTHING, ("310-260", 21928), None, id="the mobile says nothing"),
        pytest.param(("310-260", 21928), NOTHING, None, id="the failover link says nothing"),
        pytest.param(NOTHING, NOTHING, None, id="nobody says anything"),
        pytest.param(("310-260", None), ("310260", None), False, id="written without the dash"),
        pytest.param(("310-260", None), (" 310 260 ", None), False, id="written with blanks"),
        pytest.param(("310-026", None), ("310-26", None), False, id="without the zero in front"),
        pytest.param(("310-260", None), ("310-26", None), False, id="as on an old SIM"),
        pytest.param(("310-260", None), ("310-62", None), True, id="another of two digits"),
        pytest.param(("262-01", None), ("262-10", None), True, id="both of two digits are as they stand"),
        pytest.param(("262-01", None), ("262-02", None), True, id="two of one country"),
        pytest.param(("262-01", None), ("310-01", None), True, id="the same number in another country"),
        pytest.param(("T-Mobile", None), ("311-480", None), None, id="a name is no code"),
        pytest.param(("310-2600", None), ("310-260", None), None, id="four digits are none"),
        pytest.param(("310-260", 0), ("", 0), None, id="AS 0 is nobody's"),
    ],
)
def test_c3_the_mobile_workstation_is_diverse_if_its_carrier_is_known_to_be_another(
    mobile: Carrier, failover: Carrier, expected: bool | None
) -> None:
    assert diverse(mobile, failover) is expected
    assert diverse(failover, mobile) is expected


CODES = st.none() | st.from_regex(r"\A[0-9]{3}-[0-9]{2,3}\Z") | st.text(max_size=8)
CARRIERS = st.tuples(CODES, st.none() | st.integers(0, 2**32 - 1))


@given(CARRIERS, CARRIERS)
def test_c3_diversity_is_never_claimed_of_itself_nor_depends_on_who_is_asked(one: Carrier, other: Carrier) -> None:
    assert diverse(one, one) is not True
    assert diverse(one, other) is diverse(other, one)
    assert diverse(one, NOTHING) is None
