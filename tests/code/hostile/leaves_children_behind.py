# expect: ok
import os
import time

for _ in range(5):
    if os.fork() == 0:
        os.setsid()
        if os.fork():
            os._exit(0)
        os.close(1)
        os.close(2)
        time.sleep(3600)
