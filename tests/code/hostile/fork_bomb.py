# expect: process_limit memory_limit
import os

while True:
    os.fork()
