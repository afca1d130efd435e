# expect: wrong_exit
try:
    assert False, "No space left on device"
except AssertionError as error:
    raise RuntimeError("Resource temporarily unavailable, can't start new thread") from error
