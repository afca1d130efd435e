# expect: memory_limit
import os
import time

for _ in range(12):
    if os.fork() == 0:
        block = bytearray(os.urandom(1 << 20) * 30)
        time.sleep(60)
time.sleep(60)
