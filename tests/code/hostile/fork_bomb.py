# expect: process_limit
import os

while True:
    os.fork()
