# expect: crashed ok wrong_exit
import os
import signal

for pid in (os.getppid(), 1, int(os.environ["HOST_PID"])):
    try:
        os.kill(pid, signal.SIGKILL)
    except OSError as error:
        print("prevented:", error)
