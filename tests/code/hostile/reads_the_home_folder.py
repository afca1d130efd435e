# expect: ok; prevented
import os

try:
    print(open(os.environ["HOST_SECRET"]).read())
except OSError as error:
    print("prevented:", error)
else:
    print("ESCAPED")
