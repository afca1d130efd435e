# expect: file_limit process_limit
import os
import socket
import time

# what waits in a socket is no process's memory
for _ in range(30):
    if os.fork() == 0:
        break
pairs = []
for _ in range(60):
    one, other = socket.socketpair()
    one.setblocking(False)
    pairs.append((one, other))
    try:
        while True:
            one.send(bytes(65536))
    except BlockingIOError:
        pass
time.sleep(5)
