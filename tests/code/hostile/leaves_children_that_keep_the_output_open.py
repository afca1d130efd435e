# expect: ok
import os
import time

if os.fork() == 0:
    os.setsid()
    time.sleep(3600)
print("done")
