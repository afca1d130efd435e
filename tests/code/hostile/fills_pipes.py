# expect: file_limit process_limit
import fcntl
import os
import time

for _ in range(30):
    if os.fork() == 0:
        break
for _ in range(60):
    _, write = os.pipe()
    os.set_blocking(write, False)
    try:
        fcntl.fcntl(write, 1031, 1 << 20)
        os.write(write, bytes(1 << 20))
    except OSError:
        pass
time.sleep(5)
