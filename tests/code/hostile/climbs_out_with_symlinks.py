# expect: ok; prevented
import os

try:
    os.symlink(os.path.dirname(os.environ["HOST_SECRET"]), "/tmp/link")
    os.symlink("/tmp/link/../../../../../..", "/tmp/up")
    print(open("/tmp/link/" + os.path.basename(os.environ["HOST_SECRET"])).read())
except OSError as error:
    print("prevented:", error)
else:
    print("ESCAPED")
