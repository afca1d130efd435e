# expect: ok; prevented
import os

try:
    files = [os.memfd_create(str(number)) for number in range(50)]
    for file in files:
        os.write(file, bytes(8 << 20))
except OSError as error:
    print("prevented:", error)
else:
    print("ESCAPED")
