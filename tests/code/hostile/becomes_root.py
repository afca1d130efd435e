# expect: ok; prevented
import os

try:
    os.setuid(0)
    if os.listdir("/root"):
        pass
except OSError as error:
    print("prevented:", error)
else:
    print("ESCAPED")
