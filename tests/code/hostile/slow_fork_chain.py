# expect: ok
import os
import time

# each child forks the next and ends: never many at once, but for ever
while True:
    if os.fork():
        os._exit(0)
    os.setsid()
    time.sleep(0.001)
