# expect: process_limit
import os
import time

while True:
    try:
        if os.fork() == 0:
            time.sleep(0.01)
    except OSError:
        time.sleep(0.01)
