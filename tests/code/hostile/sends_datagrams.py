# expect: ok; prevented
import socket

try:
    socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b"x", ("192.0.2.1", 53))
except OSError as error:
    print("prevented:", error)
else:
    print("ESCAPED")
