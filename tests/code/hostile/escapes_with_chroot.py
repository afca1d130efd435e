# expect: ok; prevented
import os

try:
    os.mkdir("/tmp/jail")
    os.chroot("/tmp/jail")
except OSError as error:
    print("prevented:", error)
else:
    print("ESCAPED")
