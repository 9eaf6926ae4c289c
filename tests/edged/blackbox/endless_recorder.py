"""Records for ever, to be killed in the midst of it; says how many segments there are when another is on the disk."""

import sys
from dataclasses import replace
from itertools import count
from pathlib import Path

from edged.blackbox import recorder
from edged.blackbox.segment import segments
from tests.edged.blackbox.scene import a_bad_day, black_box, first_state, tell, written

recorder.SEGMENT_S = 20.0  # of the story's time, which is faster than the clock's
directory = Path(sys.argv[1])
box = black_box(directory)
state, day = first_state(), a_bad_day()
long_s = day[-1][0] - day[0][0] + 1
said = 0
for round_ in count():
    for then, told in day:
        now = then + round_ * long_s
        state = tell(box, [(now, replace(told, at_s=now))], state=state)
        written(box)
        if directory.exists() and (there := len([*segments(directory)])) > said:
            said = there
            print(said, flush=True)
