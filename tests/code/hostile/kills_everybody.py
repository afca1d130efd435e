# expect: wrong_exit
import os
import signal

os.kill(-1, signal.SIGKILL)
