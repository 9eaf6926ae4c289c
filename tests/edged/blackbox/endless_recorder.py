"""Records for ever, to be killed in the midst of it; says a part's number when it has begun."""

import sys
from dataclasses import replace
from itertools import count
from pathlib import Path

from edged.blackbox import recorder
from tests.edged.blackbox.scene import a_bad_day, black_box, first_state, tell

recorder.SEGMENT_S = 20.0  # of the story's time, which is faster than the clock's
box = black_box(Path(sys.argv[1]))
state, day = first_state(), a_bad_day()
long_s = day[-1][0] - day[0][0] + 1
said = -1
for round_ in count():
    for then, told in day:
        now = then + round_ * long_s
        state = tell(box, [(now, replace(told, at_s=now))], state=state)
        if box._part > said:
            said = box._part
            print(said, flush=True)
