"""The bandwidth of a line: by packet trains, by a guarded ramp, from counters; and the far end that helps."""
