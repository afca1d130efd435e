# expect: wrong_exit
import socket
import time

server = socket.create_server(("0.0.0.0", 45871))
time.sleep(0.3)
