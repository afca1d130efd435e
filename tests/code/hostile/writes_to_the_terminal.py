# expect: ok; prevented
import fcntl
import os
import termios

try:
    fcntl.ioctl(os.open("/dev/tty", os.O_RDWR), termios.TIOCSTI, b"x")
except OSError as error:
    print("prevented:", error)
else:
    print("ESCAPED")
