# expect: ok; prevented
import os
import socket

try:
    socket.create_connection(("127.0.0.1", int(os.environ["HOST_PORT"])), timeout=1)
except OSError as error:
    print("prevented:", error)
else:
    print("ESCAPED")
